"""The catalogue: the only package that imports SQLAlchemy and Alembic."""
