"""Print the statements with which SQLAlchemy creates JupyterHub's tables on an engine: schema.py sqlite|postgresql"""
import json
import sys

from jupyterhub import orm
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

dialect = {"sqlite": sqlite, "postgresql": postgresql}[sys.argv[1]].dialect()
out = {}
for table in orm.Base.metadata.sorted_tables:
    out[table.name] = str(CreateTable(table).compile(dialect=dialect))
    for index in table.indexes:
        out[index.name] = str(CreateIndex(index).compile(dialect=dialect))
print(json.dumps(out))
