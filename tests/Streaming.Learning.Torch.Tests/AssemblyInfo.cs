using Xunit;

// The live-tensor test counts every tensor of the process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
