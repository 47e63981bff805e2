using Xunit.v3;

// These tests wait for servers most of the time: more of them at once than there are cores.
[assembly: Parallelization(MaxThreads = 6)]
