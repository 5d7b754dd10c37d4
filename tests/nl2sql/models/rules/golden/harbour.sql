-- Each question (with its evidence after " | ") above the statement that the rules put first.

-- How many ships are there?
SELECT COUNT(*) FROM ship;

-- List the names of all ships built after 2000.
SELECT ship_name FROM ship WHERE built_year > 2000;

-- What are the names and types of ships with a tonnage between 5000 and 10000?
SELECT ship_name, ship_type FROM ship WHERE tonnage BETWEEN 5000 AND 10000;

-- What is the average, minimum and maximum tonnage of all tankers?
SELECT AVG(tonnage), MIN(tonnage), MAX(tonnage) FROM ship WHERE ship_type = 'tanker';

-- Show each ship type and the number of ships of that type.
SELECT ship_type, COUNT(*) FROM ship GROUP BY ship_type;

-- How many ships does each port have? List the port name and the number.
SELECT T2.port_name, COUNT(*) FROM ship AS T1 INNER JOIN port AS T2 ON T1.home_port_id = T2.port_id GROUP BY T2.port_id;

-- Which ship has the highest tonnage?
SELECT ship_name FROM ship ORDER BY tonnage DESC LIMIT 1;

-- What is the highest salary of all captains?
SELECT MAX(salary) FROM captain;

-- What is the name of the youngest sailor?
SELECT name FROM sailor ORDER BY age ASC LIMIT 1;

-- Which port has the most ships?
SELECT T2.port_name FROM ship AS T1 INNER JOIN port AS T2 ON T1.home_port_id = T2.port_id GROUP BY T2.port_id ORDER BY COUNT(*) DESC LIMIT 1;

-- What is the most common ship type?
SELECT ship_type FROM ship GROUP BY ship_type ORDER BY COUNT(*) DESC LIMIT 1;

-- List the names of ports that have no ships.
SELECT port_name FROM port WHERE NOT port_id IN (SELECT T1.port_id FROM port AS T1 INNER JOIN ship AS T2 ON T1.port_id = T2.home_port_id);

-- What are the names of sailors who do not work on the ship Aurora?
SELECT name FROM sailor WHERE NOT sailor_id IN (SELECT T1.sailor_id FROM sailor AS T1 INNER JOIN crew AS T2 ON T1.sailor_id = T2.sailor_id INNER JOIN ship AS T3 ON T2.ship_id = T3.ship_id WHERE T3.ship_name = 'Aurora');

-- Show the names of ships whose tonnage is above the average.
SELECT ship_name FROM ship WHERE tonnage > (SELECT AVG(tonnage) FROM ship);

-- Which captains command more than one ship? Give their first and last names.
SELECT T2.first_name, T2.last_name FROM ship AS T1 INNER JOIN captain AS T2 ON T1.captain_id = T2.captain_id GROUP BY T2.captain_id HAVING COUNT(*) > 1;

-- List the names of sailors aged 24 or 41.
SELECT name FROM sailor WHERE (age = 24 OR age = 41);

-- What are the names of ships that have both a sailor aged 24 and a sailor aged 41?
SELECT ship_name FROM ship WHERE ship_id IN (SELECT T1.ship_id FROM ship AS T1 INNER JOIN crew AS T2 ON T1.ship_id = T2.ship_id INNER JOIN sailor AS T3 ON T2.sailor_id = T3.sailor_id WHERE T3.age = 24) AND ship_id IN (SELECT T1.ship_id FROM ship AS T1 INNER JOIN crew AS T2 ON T1.ship_id = T2.ship_id INNER JOIN sailor AS T3 ON T2.sailor_id = T3.sailor_id WHERE T3.age = 41);

-- How many voyages departed in 2020?
SELECT COUNT(*) FROM voyage WHERE SUBSTR(departure_date, 1, 4) = '2020';

-- List the cargo of all voyages, sorted by cost in descending order.
SELECT cargo FROM voyage ORDER BY cost DESC;

-- What are the top 3 ships by tonnage?
SELECT ship_name FROM ship ORDER BY tonnage DESC LIMIT 3;

-- How many different cargos are there?
SELECT COUNT(DISTINCT cargo) FROM voyage;

-- Which ships are either ferries or older than 1990?
SELECT ship_name FROM ship WHERE (ship_type = 'ferry' OR built_year < 1990);

-- Show the ship names that contain 'or'.
SELECT ship_name FROM ship WHERE ship_name LIKE '%or%';

-- What is the birth date of Carla O'Neill?
SELECT birth_date FROM captain WHERE first_name = 'Carla' AND last_name = 'O''Neill';

-- What is the order of the voyage with the lowest cost?
SELECT "order" FROM voyage ORDER BY cost ASC LIMIT 1;

-- What is the average age of the male sailors?
SELECT AVG(age) FROM sailor WHERE sex = 'M';

-- For each cargo, what is the total cost?
SELECT SUM(cost), cargo FROM voyage GROUP BY cargo;

-- Where is Bergen? | Bergen is a port name; where refers to country
SELECT country FROM port WHERE port_name = 'Bergen';

-- How many voyages of the Aurora cost more than 10000? | Aurora is the ship name
SELECT COUNT(*) FROM voyage AS T1 INNER JOIN ship AS T2 ON T1.ship_id = T2.ship_id WHERE T2.ship_name = 'Aurora' AND T1.cost > 10000;

-- What percentage of the voyages carried oil? | percentage = DIVIDE(SUM(cargo = 'oil'), COUNT(voyage_id)) * 100
SELECT CAST(SUM(CASE WHEN cargo = 'oil' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(voyage_id) FROM voyage;

-- State the full name of the captain of the Aurora. | full name refers to first_name, last_name; Aurora refers to ship_name = 'Aurora'
SELECT T1.first_name, T1.last_name FROM captain AS T1 INNER JOIN ship AS T2 ON T1.captain_id = T2.captain_id WHERE T2.ship_name = 'Aurora';

-- Which captain earns the most? | full name of the captain refers to first_name, last_name; earns the most refers to MAX(salary)
SELECT first_name, last_name FROM captain ORDER BY salary DESC LIMIT 1;

-- How many voyages left in August 2020? | left in August 2020 refers to YEAR(departure_date) = 2020 AND MONTH(departure_date) = 8
SELECT COUNT(*) FROM voyage WHERE SUBSTR(departure_date, 1, 4) = '2020' AND SUBSTR(departure_date, 6, 2) = '08';

-- Among the ferries, how many were built before 2015? | ferries refers to ship_type = 'ferry'
SELECT COUNT(*) FROM ship WHERE ship_type = 'ferry' AND built_year < 2015;

-- What is the ratio between the cost of oil and grain? | ratio = DIVIDE(SUM(cost where cargo = 'oil'), SUM(cost where cargo = 'grain'))
SELECT CAST(SUM(CASE WHEN cargo = 'oil' THEN cost ELSE 0 END) AS REAL) / SUM(CASE WHEN cargo = 'grain' THEN cost ELSE 0 END) FROM voyage;

-- Name the ship with the most voyages. | most voyages refers to MAX(COUNT(voyage_id))
SELECT T2.ship_name FROM voyage AS T1 INNER JOIN ship AS T2 ON T1.ship_id = T2.ship_id GROUP BY T2.ship_id ORDER BY COUNT(T1.voyage_id) DESC LIMIT 1;

-- Which ships made more than two voyages? | made more than two voyages refers to COUNT(voyage_id) > 2; ships refers to ship_name
SELECT T2.ship_name FROM voyage AS T1 INNER JOIN ship AS T2 ON T1.ship_id = T2.ship_id GROUP BY T2.ship_name HAVING COUNT(T1.voyage_id) > 2;

-- List the ships that left on 2020/8/19. | ships refers to ship_name; on 2020/8/19 refers to departure_date = '2020-08-19'
SELECT T1.ship_name FROM ship AS T1 INNER JOIN voyage AS T2 ON T1.ship_id = T2.ship_id WHERE T2.departure_date = '2020-08-19';

-- How much higher is the salary of Ada Larsen than that of Bruno Costa? | SUBTRACT(SUM(salary where first_name = 'Ada'), SUM(salary where first_name = 'Bruno'))
SELECT SUM(CASE WHEN first_name = 'Ada' THEN salary ELSE 0 END) - SUM(CASE WHEN first_name = 'Bruno' THEN salary ELSE 0 END) FROM captain WHERE (last_name = 'Larsen' OR last_name = 'Costa');

-- Give the ports deeper than 12 metres. | ports refers to port_name; deeper than 12 metres refers to depth m > 12
SELECT port_name FROM port WHERE "depth m" > 12;
