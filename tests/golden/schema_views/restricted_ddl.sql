CREATE TABLE customer (
  "full name" VARCHAR(20) -- first and last | name; example: 'Ann O''Hara'
);

CREATE TABLE "order" (
  customer_id INT, -- example: 1
  product TEXT -- What a model says of it.; example: 'P1', 'P2', 'P3'
);
