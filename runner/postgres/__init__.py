"""A PostgreSQL server without an install: finding its programs, making a cluster, handing out addresses."""

from runner.postgres.cluster import Cluster
from runner.postgres.programs import Programs, find_programs
from runner.postgres.temporary import TemporaryServer, start_temporary

__all__ = ["Cluster", "Programs", "TemporaryServer", "find_programs", "start_temporary"]
