"""The pure library: no Prefect, no environment variables, no files beyond the database it is handed."""
