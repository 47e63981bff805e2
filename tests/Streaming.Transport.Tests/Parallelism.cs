using Xunit.v3;

// These tests mostly wait for servers: run more of them in parallel than there are cores.
[assembly: Parallelization(MaxThreads = 6)]
