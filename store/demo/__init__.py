"""A believable world on demand, and simulated workers that take, fail and complete its tasks."""

from store.demo.workers import SimulatedWorkers
from store.demo.world import World, build_world

__all__ = ["SimulatedWorkers", "World", "build_world"]
