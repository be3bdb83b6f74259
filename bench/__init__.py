"""What issuing and verifying cost, as ratios: ours, the bare signatures underneath, and two published libraries, in turn."""
