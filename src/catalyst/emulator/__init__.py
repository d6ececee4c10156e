"""A recorded EDGAR: a day of the SEC's feed and filings, served over HTTP at simulated time."""

from catalyst.emulator.clock_client import RemoteClock
from catalyst.emulator.faults import Fault, Faults
from catalyst.emulator.recording import Recording, sample_path
from catalyst.emulator.server import EmulatorServer

__all__ = ["EmulatorServer", "Fault", "Faults", "Recording", "RemoteClock", "sample_path"]
