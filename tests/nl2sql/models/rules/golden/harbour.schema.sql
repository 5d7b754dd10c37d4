CREATE TABLE port (port_id INTEGER PRIMARY KEY, port_name TEXT, country TEXT, "depth m" REAL);
CREATE TABLE captain (captain_id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, birth_date TEXT, salary REAL);
CREATE TABLE ship (
  ship_id INTEGER PRIMARY KEY, ship_name TEXT, ship_type TEXT, built_year INTEGER, tonnage REAL,
  home_port_id INTEGER REFERENCES port(port_id), captain_id INTEGER REFERENCES captain(captain_id)
);
CREATE TABLE voyage (
  voyage_id INTEGER PRIMARY KEY, ship_id INTEGER REFERENCES ship(ship_id), departure_date TEXT, cargo TEXT,
  cost REAL, "order" TEXT
);
CREATE TABLE sailor (sailor_id INTEGER PRIMARY KEY, name TEXT, sex TEXT, age INTEGER);
CREATE TABLE crew (ship_id INTEGER REFERENCES ship(ship_id), sailor_id INTEGER REFERENCES sailor(sailor_id));
INSERT INTO port VALUES (1,'Bergen','Norway',14.5),(2,'Porto','Portugal',9.0),(3,'Oslo','Norway',11.0),(4,'Genoa','Italy',15.0);
INSERT INTO captain VALUES (1,'Ada','Larsen','1970-05-01',5200),(2,'Bruno','Costa','1985-11-23',4100),(3,'Carla','O''Neill','1990-02-14',3900);
INSERT INTO ship VALUES (1,'Aurora','tanker',1999,52000,1,1),(2,'Borealis','ferry',2014,8000,3,2),(3,'Cormorant','tanker',2009,61000,2,1),
  (4,'Dolphin','trawler',1987,900,4,3),(5,'Egret','ferry',2019,9500,1,NULL);
INSERT INTO voyage VALUES (1,1,'2019-03-04','oil',12000,'A-1'),(2,1,'2020-07-11','oil',15500,'A-2'),(3,2,'2020-08-19','cars',2100,'B-1'),
  (4,3,'2020-09-30','grain',9000,'C-1'),(5,2,'2021-01-05','cars',1900,'B-2'),(6,1,'2021-06-17','grain',8000,'A-3');
INSERT INTO sailor VALUES (1,'Ines','F',24),(2,'Jon','M',41),(3,'Kai','M',33),(4,'Lena','F',52),(5,'Moritz','M',19);
INSERT INTO crew VALUES (1,1),(1,2),(2,2),(2,3),(3,4),(1,4);
