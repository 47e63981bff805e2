using Xunit;

// These tests wait for servers most of the time: more of them at once than there are cores.
[assembly: CollectionBehavior(MaxParallelThreads = 6)]
