using Streaming.Core.Histories;
using Streaming.Core.Positions;

namespace Streaming.Worker.Stages;

/// <summary>What the next life of a pipeline, which returns to the last checkpoint, has to know of this one.</summary>
/// <param name="OldEnds">Where topics ended that were deleted while they were read.</param>
/// <param name="Histories">How far each user's history had come: the store may hold events that the checkpoint does not.</param>
public sealed record PipelineReturn(IReadOnlyList<StreamPosition> OldEnds, IReadOnlyDictionary<ulong, HistoryAge> Histories);
