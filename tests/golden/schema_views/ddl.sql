CREATE TABLE customer (
  id INTEGER, -- example: 1
  "full name" VARCHAR(20), -- first and last | name; example: 'Ann O''Hara'
  born TEXT, -- example: '1990-01-02'
  photo BLOB,
  PRIMARY KEY (id)
);

CREATE TABLE "order" (
  customer_id INT, -- example: 1
  line, -- example: 1
  "the ""size""" REAL, -- size in cm; example: 1.5, 2.5
  product TEXT, -- joins product.code; example: 'P1', 'P2', 'P3'
  PRIMARY KEY (customer_id, line),
  CONSTRAINT fk_order_customer_id FOREIGN KEY (customer_id) REFERENCES customer (id)
);

CREATE TABLE product (
  code TEXT -- example: 'P1', 'P2'
);

CREATE TABLE total ( -- a view
  sum
);
