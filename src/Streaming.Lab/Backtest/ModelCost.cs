using Streaming.Core.Embeddings;
using Streaming.Learning.Engine;
using Streaming.Models.State;
using Streaming.Transport.Redis;

namespace Streaming.Lab.Backtest;

/// <summary>What a model takes: to compare one nested model with a model of each width.</summary>
/// <param name="Model">Name of the model, with what differs from the defaults.</param>
/// <param name="Widths">Its widths.</param>
/// <param name="IsSingleWidth">Whether it is one of a set of models of one width each.</param>
/// <param name="Parameters">Learned numbers: towers, and an embedding per item.</param>
/// <param name="CheckpointBytes">Bytes of its parameters, optimizer state, features and memory bank in a checkpoint.</param>
/// <param name="StoreBytes">Bytes of the keys and values of all items in Redis, without Redis' own overhead.</param>
/// <param name="ProcessorSeconds">Processor time of the training steps, mean over the seeds.</param>
/// <param name="Steps">Number of training steps, mean over the seeds.</param>
internal sealed record ModelCost(
    string Model,
    IReadOnlyList<int> Widths,
    bool IsSingleWidth,
    long Parameters,
    long CheckpointBytes,
    long StoreBytes,
    double ProcessorSeconds,
    double Steps
)
{
    private const string Embedding = "items.embedding";

    /// <summary>Measures a trained model; time and steps are those of one seed.</summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="isSingleWidth">Whether it is one of a set of models of one width each.</param>
    /// <param name="engine">The model.</param>
    /// <param name="items">Ids of its items.</param>
    /// <param name="result">Its training.</param>
    public static ModelCost Of(string name, bool isSingleWidth, TrainingEngine engine, IReadOnlyList<string> items, OfflineResult result)
    {
        using TensorSource parameters = engine.CopyParameters();
        using TensorSnapshot state = engine.BeginSnapshot();
        return new ModelCost(
            name,
            engine.Model.Widths,
            isSingleWidth,
            parameters
                .Tensors.Concat(state.Tensors.Where(static tensor => tensor.Name == Embedding))
                .Sum(static tensor => tensor.ElementCount()),
            state.Tensors.Sum(static tensor => tensor.ByteCount()),
            InStore(engine.Model.Widths, items),
            result.Training.TotalSeconds,
            result.Steps
        );
    }

    /// <summary>The mean of the seeds of a model.</summary>
    public static ModelCost Mean(IReadOnlyList<ModelCost> seeds) =>
        seeds[0] with
        {
            ProcessorSeconds = seeds.Average(static cost => cost.ProcessorSeconds),
            Steps = seeds.Average(static cost => cost.Steps),
        };

    /// <summary>The sum of models that serve together.</summary>
    public static ModelCost Sum(string name, IReadOnlyList<ModelCost> models) =>
        new(
            name,
            [.. models.SelectMany(static cost => cost.Widths)],
            IsSingleWidth: true,
            models.Sum(static cost => cost.Parameters),
            models.Sum(static cost => cost.CheckpointBytes),
            models.Sum(static cost => cost.StoreBytes),
            models.Sum(static cost => cost.ProcessorSeconds),
            models.Sum(static cost => cost.Steps)
        );

    private static long InStore(IReadOnlyList<int> widths, IReadOnlyList<string> items)
    {
        var options = new RedisOptions();
        var format = new EmbeddingFormat(options.Element, widths, options.Norms);
        ItemKeySpace keys = new RedisKeys(options.Model).Items(generation: 1);
        return items.Sum(id => (long)keys.Key(id).Length + format.Length);
    }
}
