using Xunit;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>Tests that run alone, after all others.</summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone;
