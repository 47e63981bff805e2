using Streaming.Learning.Ranks;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Engine;

/// <summary>
/// The seam of training: the work of a device in a step. Sampling policy, warm-up, schedules, evaluation, publishing and
/// checkpoints are above it and exist once; the CPU engine and the Torch engine implement it.
/// </summary>
/// <remarks>
/// Not thread-safe: one thread owns an engine. The same parameters, calls and seed give bitwise identical parameters on the CPU
/// engine. A new item row gets its initial values from (seed, item key), independent of the order of arrival.
/// </remarks>
public abstract class TrainingEngine : IDisposable
{
    /// <summary>Creates an engine for a model.</summary>
    /// <param name="model">Shape and hyper-parameters, validated.</param>
    protected TrainingEngine(ModelOptions model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        Model = model;
    }

    /// <summary>Gets the model's shape and hyper-parameters.</summary>
    public ModelOptions Model { get; }

    /// <summary>Gets the ranks that share each step of this engine; a world of one unless it is an engine of many.</summary>
    public virtual Collective Ranks { get; } = new SoloCollective();

    /// <summary>Gets the number of entries in the memory bank, 0 … <see cref="ModelOptions.BankCapacity"/>.</summary>
    public abstract int BankCount { get; }

    /// <summary>Gets a short description for logs: the engine, its device, its vector width or library version.</summary>
    public abstract string Description { get; }

    /// <summary>Resets a row for a new item: initial embedding, zero features, zero optimiser state.</summary>
    /// <param name="row">Row of the item table, 0 … capacity − 1.</param>
    /// <param name="itemKey">The item's key: seeds the initial values.</param>
    public abstract void InitializeRow(int row, ulong itemKey);

    /// <summary>Sets the frozen features of an item: all groups concatenated, in the order of
    /// <see cref="ModelOptions.FeatureGroups"/>.</summary>
    /// <param name="row">Row of the item table.</param>
    /// <param name="features">[F] values, finite.</param>
    public abstract void SetFeatures(int row, ReadOnlySpan<float> features);

    /// <summary>
    /// Forward, backward, optimiser, bank. A step whose loss or gradients are not finite changes nothing
    /// (<see cref="StepResult.IsApplied"/> is false).
    /// </summary>
    public abstract StepResult Step(in TrainingBatch batch);

    /// <summary>Embeddings of items at full width, without dropout.</summary>
    /// <param name="rows">[n] item rows.</param>
    /// <param name="embeddings">Out: [n × D].</param>
    public abstract void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings);

    /// <summary>Whether this rank stores an item's row, encodes it and publishes it.</summary>
    /// <param name="row">Row of the item table, 0 … capacity − 1.</param>
    public bool Stores(int row) => row % Ranks.Size == Ranks.Rank;

    /// <summary>Embeddings of items that this rank stores, at full width, without dropout. Not collective: other ranks need not call
    /// it.</summary>
    /// <param name="rows">[n] item rows; <see cref="Stores"/> holds for each.</param>
    /// <param name="embeddings">Out: [n × D].</param>
    public virtual void EncodeStored(ReadOnlySpan<int> rows, Span<float> embeddings) => EncodeItems(rows, embeddings);

    /// <summary>User vectors at the last step of each sequence, without dropout.</summary>
    /// <param name="sequences">[n] histories.</param>
    /// <param name="vectors">Out: [n × Interests × D]; Interests is 1 except for the mind tower.</param>
    public abstract void EncodeUsers(in JaggedRows sequences, Span<float> vectors);

    /// <summary>
    /// Copies bank entries, newest first, to measure staleness.
    /// </summary>
    /// <param name="entries">Indices from the newest, 0 … <see cref="BankCount"/> − 1.</param>
    /// <param name="rows">Out: [n] item row of each.</param>
    /// <param name="steps">Out: [n] step at which each was enqueued.</param>
    /// <param name="embeddings">Out: [n × D] stored embeddings.</param>
    public abstract void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings);

    /// <summary>Removes an item's row from the bank's masks; called when the row is given to another item.</summary>
    /// <param name="row">The row to be reused. Its bank entries keep their vectors; their id becomes −1.</param>
    public abstract void ForgetRow(int row);

    /// <summary>
    /// Begins a snapshot of all current state: parameters, optimiser, bank. Training may continue at once; the snapshot shows the
    /// state as of this call (copy-on-write) until disposed. One at a time.
    /// </summary>
    public abstract TensorSnapshot BeginSnapshot();

    /// <summary>Copies the current dense parameters (item projection and user tower, without optimiser state): a few megabytes at
    /// most, and allowed while a snapshot is active.</summary>
    public abstract TensorSource CopyParameters();

    /// <summary>Replaces all state by that of a snapshot, of this engine or of another with an equal model.</summary>
    /// <exception cref="StateMismatchException">A tensor is missing, unknown, or of another shape; the message names it.</exception>
    public abstract void Restore(TensorSource source);

    /// <summary>Releases the engine's resources.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the engine's resources.</summary>
    protected abstract void Dispose(bool disposing);
}
