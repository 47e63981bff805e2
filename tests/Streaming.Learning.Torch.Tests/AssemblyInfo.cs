using Xunit.v3;

// The live-tensor test counts every tensor of the process.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
