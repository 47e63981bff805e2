using Streaming.Core.Histories;
using Streaming.Core.Positions;

namespace Streaming.Worker.Stages;

/// <summary>What a life of the pipeline leaves to the next one, which returns to the last checkpoint.</summary>
/// <param name="OldEnds">Where topics ended that were deleted while they were read.</param>
/// <param name="Histories">How far the users' histories had come: the store may hold what the checkpoint does not.</param>
public sealed record PipelineReturn(IReadOnlyList<StreamPosition> OldEnds, IReadOnlyDictionary<ulong, HistoryAge> Histories);
