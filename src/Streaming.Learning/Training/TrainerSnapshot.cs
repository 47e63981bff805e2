using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>
/// A trainer's whole state as of the end of one batch, readable from another thread while training continues: the tensors of the
/// engine and those outside it. One at a time; dispose it before the next begins.
/// </summary>
public sealed class TrainerSnapshot : IDisposable
{
    private readonly Action _ended;
    private bool _isDisposed;

    internal TrainerSnapshot(
        TensorSnapshot engine,
        TensorSnapshot trainer,
        ModelOptions model,
        IReadOnlyDictionary<string, string> shape,
        TrainerCounters counters,
        long sequence,
        Action ended
    )
    {
        Engine = engine;
        Trainer = trainer;
        Model = model;
        Shape = shape;
        Counters = counters;
        Sequence = sequence;
        _ended = ended;
    }

    /// <summary>Gets parameters, optimiser state and memory bank.</summary>
    public TensorSnapshot Engine { get; }

    /// <summary>Gets the item table, frequencies, bank policy, replay reservoir and evaluation.</summary>
    public TensorSnapshot Trainer { get; }

    /// <summary>Gets the model's shape and hyper-parameters.</summary>
    public ModelOptions Model { get; }

    /// <summary>Gets the settings that determine the state's shape, by name.</summary>
    public IReadOnlyDictionary<string, string> Shape { get; }

    /// <summary>Gets the counters as of this state.</summary>
    public TrainerCounters Counters { get; }

    /// <summary>Gets the number of the last batch that this state contains; −1 before the first.</summary>
    public long Sequence { get; }

    /// <summary>Releases the snapshot.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            Engine.Dispose();
            Trainer.Dispose();
            _ended();
        }
    }
}
