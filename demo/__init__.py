"""The test world and its story: every participating State on one machine, the whole chain shown once, nothing of it real."""
