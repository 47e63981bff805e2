using Streaming.Core.Generations;
using Streaming.Core.Items;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;

namespace Streaming.Worker.Stages;

/// <summary>What is published of a model in addition to its embeddings, at one step.</summary>
/// <param name="Record">The record of the generation.</param>
/// <param name="Towers">The user tower at each width as a model file; empty if they are not due.</param>
/// <param name="Ids">Every item that must be in the store; null if not requested.</param>
internal sealed record ModelSnapshot(GenerationRecord Record, IReadOnlyDictionary<int, byte[]> Towers, IReadOnlyList<string>? Ids)
{
    /// <summary>Takes it, on the trainer's thread: a copy of the dense parameters, cut to each width.</summary>
    /// <param name="trainer">The trainer, between two steps.</param>
    /// <param name="version">Generation and token; the step is the trainer's.</param>
    /// <param name="attributes">The attributes that its items have.</param>
    /// <param name="towers">Whether towers are part of it.</param>
    /// <param name="ids">Whether the items' ids are.</param>
    /// <param name="time">Clock.</param>
    public static ModelSnapshot Of(
        Trainer trainer,
        ModelVersion version,
        IReadOnlyList<AttributeDefinition> attributes,
        bool towers,
        bool ids,
        TimeProvider time
    )
    {
        version = version with { Step = trainer.Counters.Steps };
        ModelOptions model = trainer.Model;
        var files = new Dictionary<int, byte[]>();
        using TensorSource? parameters = towers ? trainer.CopyParameters() : null;
        foreach (int width in towers ? model.Widths : [])
        {
            using var file = new MemoryStream();
            SlicedModel.Write(parameters!, model, width, version, projection: false, file);
            files[width] = file.ToArray();
        }

        SegmentRecall recall = trainer.RecentRecall;
        return new ModelSnapshot(
            new GenerationRecord
            {
                Generation = version.Generation,
                Token = version.Token,
                Step = version.Step,
                Tower = model.Tower.ToString(),
                Widths = [.. model.Widths],
                Items = trainer.Items.Count,
                Attributes = [.. attributes.Select(static attribute => attribute.ToString())],
                Recall = recall.Examples > 0 ? recall.Recall : 0,
                Examples = recall.Examples,
                Written = time.GetUtcNow().ToUnixTimeMilliseconds(),
            },
            files,
            ids ? Array.ConvertAll(trainer.Items.Rows.ToArray(), trainer.Items.IdOf) : null
        );
    }
}
