using Streaming.Worker.Stages;

namespace Streaming.Worker.Run;

/// <summary>What the ranks of a job begin with.</summary>
/// <param name="Plan">What to train.</param>
/// <param name="Token">Fencing token of the lease, which rank 0 holds.</param>
internal sealed record JobStart(RunPlan Plan, uint Token);
