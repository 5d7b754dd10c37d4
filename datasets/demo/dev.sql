SELECT title_en FROM film WHERE title = '雨の駅'	film_archive
SELECT year FROM film WHERE title = 'Ночной трамвай'	film_archive
SELECT COUNT(print_id) FROM print WHERE base = 'N'	film_archive
SELECT temp_c, rh FROM vault WHERE name = 'Cold store annex'	film_archive
SELECT name FROM country WHERE dissolved IS NOT NULL	film_archive
SELECT T1.title FROM film AS T1 INNER JOIN country AS T2 ON T1.cc = T2.cc WHERE T2.name = 'Sweden'	film_archive
SELECT name FROM person WHERE nat = 'BR'	film_archive
SELECT runtime FROM film WHERE title_latin = 'Sestra mashinista'	film_archive
SELECT name_latin FROM person WHERE name = '森下 千代'	film_archive
SELECT COUNT(film_id) FROM film WHERE colour = 'TNT'	film_archive
SELECT donor FROM donor WHERE kind = 'CLB'	film_archive
SELECT project FROM restoration WHERE status = 'H'	film_archive
SELECT COUNT(loan_id) FROM loan WHERE borrower = 'Kyoto Film Museum'	film_archive
SELECT T3.name FROM film AS T1 INNER JOIN credit AS T2 ON T1.film_id = T2.film_id INNER JOIN person AS T3 ON T2.person_id = T3.person_id WHERE T1.title = 'The Lamplighter' AND T2.role = 'DIR'	film_archive
SELECT title, shelf FROM nitrate_prints WHERE cond = 'E'	film_archive
SELECT COUNT(T1.print_id) FROM print AS T1 INNER JOIN donor AS T2 ON T1.donor = T2.donor_id WHERE T2.donor = 'Кинотеатр «Прогресс»'	film_archive
SELECT cost, lab FROM restoration WHERE project = 'RST-014'	film_archive
SELECT title FROM film WHERE lang = 'zxx'	film_archive
SELECT COUNT(*) FROM print WHERE gauge = '9.5'	film_archive
SELECT title_en FROM film WHERE title_en IS NOT NULL AND title_en <> '' GROUP BY title_en HAVING COUNT(film_id) > 1	film_archive
SELECT COUNT(T1.film_id) FROM film AS T1 INNER JOIN country AS T2 ON T1.cc = T2.cc WHERE T2.name = 'Soviet Union' AND T1.sound = 'M'	film_archive
SELECT SUM(IIF(base = 'P', 1, 0)) * 100.0 / COUNT(print_id) FROM print	film_archive
SELECT title FROM film WHERE film_id NOT IN (SELECT film_id FROM print)	film_archive
SELECT LOWER(TRIM(genre)), COUNT(*) FROM film WHERE LOWER(TRIM(genre)) IN ('drama', 'comedy') GROUP BY LOWER(TRIM(genre))	film_archive
SELECT T2.name FROM credit AS T1 INNER JOIN person AS T2 ON T1.person_id = T2.person_id WHERE T1.role = 'ACT' AND T1.billing = 1 GROUP BY T2.person_id HAVING COUNT(*) > 3	film_archive
SELECT T1.title, T3.name FROM film AS T1 INNER JOIN credit AS T2 ON T1.film_id = T2.film_id INNER JOIN person AS T3 ON T2.person_id = T3.person_id WHERE T2.`character name` = 'the conductor'	film_archive
SELECT SUM(tickets) FROM screening WHERE LOWER(TRIM(venue)) = 'main hall' AND SUBSTR(`date`, 7, 4) = '2022'	film_archive
SELECT T1.`date`, T3.title FROM screening AS T1 INNER JOIN print AS T2 ON T1.print_id = T2.print_id INNER JOIN film AS T3 ON T2.film_id = T3.film_id ORDER BY T1.tickets DESC LIMIT 1	film_archive
SELECT borrower, due_date FROM loan WHERE back_date IS NULL OR back_date = ''	film_archive
SELECT borrower, COUNT(*) FROM loan WHERE back_date > due_date GROUP BY borrower	film_archive
SELECT AVG(CAST(REPLACE(REPLACE(length, ',', ''), ' m', '') AS REAL)) FROM print WHERE gauge = '35' AND elem = 'PP' AND length IS NOT NULL	film_archive
SELECT name FROM person WHERE died <> '' AND CAST(died AS INTEGER) < 1950 AND CAST(SUBSTR(born, 1, 4) AS INTEGER) BETWEEN 1801 AND 1900	film_archive
SELECT name FROM person WHERE nat = 'JP' AND person_id IN (SELECT person_id FROM credit WHERE role = 'DIR' INTERSECT SELECT person_id FROM credit WHERE role = 'MUS')	film_archive
SELECT COUNT(print_id) FROM print WHERE acq_ts < 0	film_archive
SELECT SUM(CAST(REPLACE(REPLACE(cost, '€ ', ''), ',', '') AS INTEGER)) FROM restoration WHERE status = 'F' AND UPPER(lab) = 'LUMEN LAB'	film_archive
SELECT T2.name, COUNT(T1.print_id), SUM(CASE WHEN T1.cond IN ('D', 'E') THEN 1 ELSE 0 END) * 100.0 / COUNT(T1.print_id) FROM print AS T1 INNER JOIN vault AS T2 ON SUBSTR(T1.shelf, 1, INSTR(T1.shelf, '-') - 1) = T2.vault_id GROUP BY T2.vault_id	film_archive
SELECT AVG(CASE WHEN cc = 'JP' THEN CAST(runtime AS INTEGER) END) - AVG(CASE WHEN cc = 'FR' THEN CAST(runtime AS INTEGER) END) FROM film WHERE sound = 'S' AND runtime IS NOT NULL AND runtime <> ''	film_archive
WITH finished AS (SELECT project, (SUBSTR(`end`, 1, 4) - SUBSTR(`start`, 1, 4)) * 12 + SUBSTR(`end`, 6, 2) - SUBSTR(`start`, 6, 2) AS months FROM restoration WHERE status = 'F') SELECT project, months FROM finished WHERE months > (SELECT AVG(months) FROM finished)	film_archive
SELECT name, n, r FROM (SELECT T3.name AS name, COUNT(T1.print_id) AS n, RANK() OVER (ORDER BY COUNT(T1.print_id) DESC) AS r FROM print AS T1 INNER JOIN film AS T2 ON T1.film_id = T2.film_id INNER JOIN country AS T3 ON T2.cc = T3.cc GROUP BY T3.cc) WHERE r <= 3	film_archive
SELECT COUNT(T1.print_id) FROM print AS T1 INNER JOIN donor AS T2 ON T1.donor = T2.donor_id WHERE T2.donor LIKE 'cin_ma aurora%' AND T2.city = 'Lyon'	film_archive
SELECT title FROM film WHERE film_id IN (SELECT T2.film_id FROM screening AS T1 INNER JOIN print AS T2 ON T1.print_id = T2.print_id) AND film_id IN (SELECT film_id FROM restoration) ORDER BY title	film_archive
SELECT T1.title, (MAX(T2.acq_ts) - MIN(T2.acq_ts)) / 86400 FROM film AS T1 INNER JOIN print AS T2 ON T1.film_id = T2.film_id GROUP BY T1.film_id HAVING COUNT(T2.print_id) >= 5 ORDER BY MAX(T2.acq_ts) - MIN(T2.acq_ts) DESC	film_archive
SELECT COUNT(*) FROM berths WHERE status IN ('C', 'M')	harbor_logistics
SELECT name, built FROM vessels ORDER BY built LIMIT 1	harbor_logistics
SELECT full_name FROM pilots WHERE max_loa IS NULL	harbor_logistics
SELECT "unit price" FROM tariffs WHERE label = 'Tug, per assist'	harbor_logistics
SELECT phone FROM agents WHERE name = 'Omaro & Daughters'	harbor_logistics
SELECT name FROM vessels WHERE vtype = 'CS' AND CAST(REPLACE(gt, ',', '') AS INTEGER) > 40000	harbor_logistics
SELECT COUNT(call_id) FROM port_calls WHERE ata IS NULL	harbor_logistics
SELECT reported_by, remarks FROM incidents WHERE inc_no = '23/032'	harbor_logistics
SELECT name FROM agents WHERE "working language" LIKE '%Greek%'	harbor_logistics
SELECT COUNT(*) FROM containers WHERE line = 'LOT'	harbor_logistics
SELECT name FROM vessels WHERE vtype = 'BC' AND TRIM(class_soc) = 'DNV'	harbor_logistics
SELECT SUM(injured) FROM incidents WHERE SUBSTR(happened, 8, 4) = '2023'	harbor_logistics
SELECT label FROM tariffs WHERE unit = 'call' ORDER BY CAST(REPLACE("unit price", ',', '') AS REAL) LIMIT 1	harbor_logistics
SELECT COUNT(*) FROM invoices WHERE cur = 'USD' AND stat = 'O'	harbor_logistics
SELECT flag FROM vessels WHERE name = '青潮丸'	harbor_logistics
SELECT COUNT(*) FROM vessels WHERE UPPER(flag) = 'LR'	harbor_logistics
SELECT T2.dwt FROM vessels AS T1 INNER JOIN particulars AS T2 ON T1.imo = T2.imo WHERE T1.name = 'Oystercatcher'	harbor_logistics
SELECT COUNT(imo) FROM particulars WHERE ecdis = '0'	harbor_logistics
SELECT full_name FROM pilots WHERE SUBSTR(hired, 7, 4) < '2010'	harbor_logistics
SELECT CAST(SUM(CASE WHEN haz <> '' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(move_id) FROM moves WHERE fe = 'F'	harbor_logistics
SELECT T1.name, COUNT(*) FROM agents AS T1 INNER JOIN port_calls AS T2 ON T1.agent_cd = T2.agent WHERE T2.ata IS NOT NULL GROUP BY T1.agent_cd ORDER BY COUNT(*) DESC LIMIT 3	harbor_logistics
SELECT T1.vtype, AVG(T2.alongside_h) FROM vessels AS T1 INNER JOIN turnaround AS T2 ON T1.imo = T2.imo GROUP BY T1.vtype ORDER BY AVG(T2.alongside_h) DESC	harbor_logistics
SELECT name FROM owners WHERE owner_id NOT IN (SELECT owner_id FROM vessels WHERE owner_id IS NOT NULL)	harbor_logistics
SELECT COUNT(*) FROM port_calls WHERE STRFTIME('%Y', ata, 'unixepoch') = '2023' AND ata - eta > 86400	harbor_logistics
SELECT T1.berth_no, T1.quay FROM berths AS T1 INNER JOIN port_calls AS T2 ON T1.berth_no = T2.berth_no WHERE STRFTIME('%Y', T2.ata, 'unixepoch') = '2022' GROUP BY T1.berth_no ORDER BY COUNT(*) DESC LIMIT 1	harbor_logistics
SELECT SUBSTR(T1.full_name, 1, INSTR(T1.full_name, ',') - 1) FROM pilots AS T1 INNER JOIN port_calls AS T2 ON T1.lic = T2.pilot_in GROUP BY T1.lic ORDER BY COUNT(T2.call_id) DESC LIMIT 1	harbor_logistics
SELECT T1.label, SUM(T2.amount) FROM tariffs AS T1 INNER JOIN invoice_lines AS T2 ON T1.tar_cd = T2.tar_cd WHERE T1."group" = 'CARGO' GROUP BY T1.tar_cd	harbor_logistics
SELECT DISTINCT T1.name FROM vessels AS T1 INNER JOIN port_calls AS T2 ON T1.imo = T2.imo WHERE T1.loa_m >= 200 AND T2.atd IS NOT NULL AND T2.pilot_out IS NULL	harbor_logistics
SELECT T1.cntr_no, T1.gross, T3.name FROM moves AS T1 INNER JOIN port_calls AS T2 ON T1.call_id = T2.call_id INNER JOIN vessels AS T3 ON T2.imo = T3.imo ORDER BY CAST(REPLACE(REPLACE(T1.gross, ' kg', ''), ',', '') AS INTEGER) DESC LIMIT 1	harbor_logistics
SELECT DISTINCT cntr_no FROM moves WHERE moved_at LIKE '2023-01%' AND CAST(temp_c AS REAL) < -15	harbor_logistics
SELECT T1.name, T2.name FROM vessels AS T1 INNER JOIN owners AS T2 ON T1.owner_id = T2.owner_id WHERE T1.vtype = 'TK' AND T1.built < 1990	harbor_logistics
SELECT LOWER(TRIM(name)) FROM vessels GROUP BY LOWER(TRIM(name)) HAVING COUNT(*) > 1	harbor_logistics
SELECT vtype FROM vessels EXCEPT SELECT T3.vtype FROM incidents AS T1 INNER JOIN port_calls AS T2 ON T1.call_id = T2.call_id INNER JOIN vessels AS T3 ON T2.imo = T3.imo WHERE T1.sev >= 3	harbor_logistics
SELECT (CAST(STRFTIME('%m', eta, 'unixepoch') AS INTEGER) + 2) / 3 AS quarter, COUNT(*) FROM port_calls WHERE ata IS NULL AND STRFTIME('%Y', eta, 'unixepoch') = '2023' GROUP BY quarter	harbor_logistics
SELECT CAST(SUM(CASE WHEN fuel = 'MGO' THEN 1 ELSE 0 END) AS REAL) / COUNT(imo) FROM particulars WHERE cii IN ('D', 'E')	harbor_logistics
SELECT T1.inv_no, T1.total, SUM(T2.amount) FROM invoices AS T1 INNER JOIN invoice_lines AS T2 ON T1.inv_no = T2.inv_no GROUP BY T1.inv_no HAVING ABS(T1.total - SUM(T2.amount)) > 0.01	harbor_logistics
WITH monthly AS (SELECT STRFTIME('%Y', ata, 'unixepoch') AS y, STRFTIME('%m', ata, 'unixepoch') AS m, COUNT(*) AS n FROM port_calls WHERE ata IS NOT NULL GROUP BY y, m) SELECT y, m FROM (SELECT y, m, RANK() OVER (PARTITION BY y ORDER BY n DESC) AS place FROM monthly WHERE y IN ('2022', '2023')) WHERE place = 1	harbor_logistics
SELECT T1.name, T2.gap / 86400.0 FROM vessels AS T1 INNER JOIN (SELECT imo, ata - LAG(atd) OVER (PARTITION BY imo ORDER BY ata) AS gap FROM port_calls WHERE ata IS NOT NULL) AS T2 ON T1.imo = T2.imo WHERE T2.gap IS NOT NULL ORDER BY T2.gap LIMIT 1	harbor_logistics
SELECT due_days, AVG(JULIANDAY(SUBSTR(paid_on, 7, 4) || '-' || SUBSTR(paid_on, 4, 2) || '-' || SUBSTR(paid_on, 1, 2)) - JULIANDAY(SUBSTR(issued, 7, 4) || '-' || SUBSTR(issued, 4, 2) || '-' || SUBSTR(issued, 1, 2))) FROM invoices WHERE stat = 'P' GROUP BY due_days	harbor_logistics
SELECT SUM(total) FROM invoices WHERE UPPER(cur) = 'EUR' AND stat = 'O' AND DATE(SUBSTR(issued, 7, 4) || '-' || SUBSTR(issued, 4, 2) || '-' || SUBSTR(issued, 1, 2), '+' || due_days || ' days') < '2023-12-31'	harbor_logistics
SELECT T3.name, COUNT(*) * 100.0 / (SELECT COUNT(*) FROM port_calls WHERE ata IS NOT NULL) FROM port_calls AS T1 INNER JOIN vessels AS T2 ON T1.imo = T2.imo INNER JOIN owners AS T3 ON T2.owner_id = T3.owner_id WHERE T1.ata IS NOT NULL GROUP BY T3.owner_id HAVING COUNT(*) * 100.0 / (SELECT COUNT(*) FROM port_calls WHERE ata IS NOT NULL) > 7	harbor_logistics
SELECT T1.full_name, T1.max_loa - MAX(T3.loa_m) FROM pilots AS T1 INNER JOIN port_calls AS T2 ON T1.lic = T2.pilot_in INNER JOIN vessels AS T3 ON T2.imo = T3.imo WHERE T1.max_loa IS NOT NULL GROUP BY T1.lic	harbor_logistics
SELECT beds FROM ward WHERE ward_name = 'Neurology'	regional_hospital
SELECT ward_name FROM ward WHERE bldg = 'C'	regional_hospital
SELECT T2.full_name FROM ward AS T1 INNER JOIN staff AS T2 ON T1.`Head Nurse` = T2.staff_id WHERE T1.ward_name = 'Geriatrics'	regional_hospital
SELECT COUNT(patient_id) FROM patient WHERE blood = 'O-'	regional_hospital
SELECT test_name FROM lab_test WHERE specimen = 'P'	regional_hospital
SELECT ref_high, unit FROM lab_test WHERE test_name = 'Troponin T'	regional_hospital
SELECT COUNT(adm_id) FROM admission WHERE outcome = 'AMA'	regional_hospital
SELECT code FROM icd WHERE title = 'Acute appendicitis'	regional_hospital
SELECT title FROM icd WHERE `group` = 'neoplasm'	regional_hospital
SELECT COUNT(patient_id) FROM patient WHERE town = 'Altenbrück' AND ins = 'SLF'	regional_hospital
SELECT mrn, dob FROM patient WHERE first_name = 'Yara' AND last_name = 'Novak'	regional_hospital
SELECT COUNT(survey_id) FROM survey WHERE mode = 'T'	regional_hospital
SELECT COUNT(*) FROM current_inpatients	regional_hospital
SELECT `Total Amount` FROM invoice WHERE `Invoice No` = '2023/0200'	regional_hospital
SELECT COUNT(adm_id) FROM admission WHERE ward_code = 'ER' AND triage = 1	regional_hospital
SELECT DISTINCT spec FROM staff WHERE role = 'MD'	regional_hospital
SELECT T2.full_name FROM admission AS T1 INNER JOIN staff AS T2 ON T1.attending = T2.staff_id WHERE T1.adm_id = 50100	regional_hospital
SELECT T4.title FROM patient AS T1 INNER JOIN admission AS T2 ON T1.patient_id = T2.patient_id INNER JOIN diagnosis AS T3 ON T2.adm_id = T3.adm_id INNER JOIN icd AS T4 ON T3.icd_code = T4.code WHERE T1.mrn = 'RH-010868' AND T3.seq = 1	regional_hospital
SELECT COUNT(T1.result_id) FROM lab_result AS T1 INNER JOIN lab_test AS T2 ON T1.test = T2.test_code WHERE T2.test_name = 'Urine culture' AND T1.value = 'E. coli'	regional_hospital
SELECT COUNT(DISTINCT patient_id) FROM admission WHERE referrer IN ('St. Mary Clinic', 'St Mary Clinic', 'ST MARY CLINIC')	regional_hospital
SELECT T2.ward_name, COUNT(T1.adm_id) FROM admission AS T1 INNER JOIN ward AS T2 ON T1.ward_code = T2.ward_code WHERE T1.adm_dt LIKE '2023%' GROUP BY T2.ward_name ORDER BY COUNT(T1.adm_id) DESC LIMIT 1	regional_hospital
SELECT CAST(SUM(CASE WHEN outcome = 'D' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(outcome) FROM admission	regional_hospital
SELECT AVG(julianday(date(dis_dt)) - julianday(date(adm_dt))) FROM admission WHERE adm_type = 2 AND dis_dt IS NOT NULL AND dis_dt <> ''	regional_hospital
SELECT T1.full_name FROM staff AS T1 INNER JOIN ward AS T2 ON TRIM(T1.ward) = T2.ward_code WHERE T2.ward_name = 'Intensive Care Unit' AND T1.role = 'RN' AND UPPER(T1.active) = 'Y'	regional_hospital
SELECT full_name, salary FROM staff WHERE role = 'MD' ORDER BY CAST(REPLACE(REPLACE(salary, 'EUR ', ''), ',', '') AS INTEGER) DESC LIMIT 1	regional_hospital
SELECT T2.title FROM diagnosis AS T1 INNER JOIN icd AS T2 ON T1.icd_code = T2.code WHERE T2.chronic = 1 GROUP BY T2.code ORDER BY COUNT(*) DESC LIMIT 3	regional_hospital
SELECT first_name, last_name FROM patient WHERE SUBSTR(dob, 7, 4) = '1950'	regional_hospital
SELECT AVG(q36) FROM survey WHERE q36 <> 9	regional_hospital
SELECT COUNT(survey_id) FROM survey WHERE q32 = 1	regional_hospital
SELECT town FROM patient GROUP BY town HAVING COUNT(patient_id) > 40 ORDER BY COUNT(patient_id) DESC	regional_hospital
SELECT ward_name FROM ward WHERE ward_code NOT IN (SELECT ward_code FROM admission WHERE ward_code IS NOT NULL)	regional_hospital
SELECT T1.value, T4.mrn FROM lab_result AS T1 INNER JOIN lab_test AS T2 ON T1.test = T2.test_code INNER JOIN admission AS T3 ON T1.adm_id = T3.adm_id INNER JOIN patient AS T4 ON T3.patient_id = T4.patient_id WHERE T2.test_name = 'Potassium' AND T1.flag = 'HH'	regional_hospital
SELECT SUM(CAST(REPLACE(REPLACE(`Total Amount`, 'EUR ', ''), ',', '') AS REAL)) FROM invoice WHERE paid = 'N' AND payer = 'PUB'	regional_hospital
SELECT T2.test_name, COUNT(*) FROM lab_result AS T1 INNER JOIN lab_test AS T2 ON T1.test = T2.test_code WHERE LOWER(T1.value) = 'hemolyzed' GROUP BY T2.test_name	regional_hospital
SELECT mrn FROM patient WHERE strftime('%Y-%m', reg_ts, 'unixepoch') = '2015-03'	regional_hospital
SELECT ward_code, SUM(CASE WHEN triage <= 2 THEN 1 ELSE 0 END) * 100.0 / COUNT(triage) FROM admission WHERE adm_type = 1 AND triage IS NOT NULL GROUP BY ward_code	regional_hospital
SELECT DISTINCT T3.mrn FROM admission AS T1 INNER JOIN admission AS T2 ON T1.patient_id = T2.patient_id AND T2.adm_dt > T1.dis_dt INNER JOIN patient AS T3 ON T1.patient_id = T3.patient_id WHERE T1.dis_dt <> '' AND julianday(T2.adm_dt) - julianday(T1.dis_dt) <= 7	regional_hospital
SELECT AVG(CASE WHEN T3.ward_name = 'Cardiology' THEN SUBSTR(T1.adm_dt, 1, 4) - SUBSTR(T2.dob, 7, 4) END) - AVG(CASE WHEN T3.ward_name = 'Neurology' THEN SUBSTR(T1.adm_dt, 1, 4) - SUBSTR(T2.dob, 7, 4) END) FROM admission AS T1 INNER JOIN patient AS T2 ON T1.patient_id = T2.patient_id INNER JOIN ward AS T3 ON T1.ward_code = T3.ward_code	regional_hospital
SELECT T3.ward_name, AVG(T1.q12), RANK() OVER (ORDER BY AVG(T1.q12) DESC) FROM survey AS T1 INNER JOIN admission AS T2 ON T1.adm_id = T2.adm_id INNER JOIN ward AS T3 ON T2.ward_code = T3.ward_code WHERE T1.q12 <> 9 GROUP BY T3.ward_name	regional_hospital
WITH counted AS (SELECT T3.`group` AS g, T3.title AS title, RANK() OVER (PARTITION BY T3.`group` ORDER BY COUNT(*) DESC) AS r FROM diagnosis AS T1 INNER JOIN admission AS T2 ON T1.adm_id = T2.adm_id INNER JOIN icd AS T3 ON T1.icd_code = T3.code WHERE T1.seq = 1 AND T2.adm_dt LIKE '2022%' GROUP BY T3.`group`, T3.title) SELECT g, title FROM counted WHERE r = 1	regional_hospital
SELECT COUNT(DISTINCT T2.patient_id) FROM diagnosis AS T1 INNER JOIN admission AS T2 ON T1.adm_id = T2.adm_id WHERE T1.icd_code = 'E11.9' AND T2.patient_id NOT IN (SELECT T4.patient_id FROM lab_result AS T3 INNER JOIN admission AS T4 ON T3.adm_id = T4.adm_id INNER JOIN lab_test AS T5 ON T3.test = T5.test_code WHERE T5.test_name = 'Haemoglobin A1c')	regional_hospital
SELECT AVG(julianday(date(paid_ts, 'unixepoch')) - julianday('2024-01-' || SUBSTR('0' || TRIM(SUBSTR(`Issued On`, 5, INSTR(`Issued On`, ',') - 5)), -2))) FROM invoice WHERE paid = 'Y' AND `Issued On` LIKE 'Jan %, 2024'	regional_hospital
