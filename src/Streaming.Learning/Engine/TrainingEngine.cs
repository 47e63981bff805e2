using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Engine;

/// <summary>
/// The one seam of training: what a device does in a step. Sampling policy, warm-up, schedules, evaluation, publishing
/// and checkpoints stand above it and exist once; the CPU engine and the Torch engine stand below it.
/// </summary>
/// <remarks>
/// Not thread-safe: one thread owns an engine. Same parameters, same calls, same seed ⇒ the same parameters to the bit
/// on the CPU engine. A new item row gets its initial values from (seed, item key), not from the order of arrival.
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

    /// <summary>Gets how many entries the memory bank holds, 0 … <see cref="ModelOptions.BankCapacity"/>.</summary>
    public abstract int BankCount { get; }

    /// <summary>Gets a short description for logs: the engine, its device, its vector width or library version.</summary>
    public abstract string Description { get; }

    /// <summary>Starts a row afresh for an item: initial embedding, zero features, zero optimiser state.</summary>
    /// <param name="row">Row of the item table, 0 … capacity − 1.</param>
    /// <param name="itemKey">The item's key: seeds the initial values.</param>
    public abstract void InitializeRow(int row, ulong itemKey);

    /// <summary>Sets the frozen features of an item: all groups end to end, in the order of <see cref="ModelOptions.FeatureGroups"/>.</summary>
    /// <param name="row">Row of the item table.</param>
    /// <param name="features">[F] values, finite.</param>
    public abstract void SetFeatures(int row, ReadOnlySpan<float> features);

    /// <summary>
    /// Forward, backward, optimiser, bank. A step whose loss or gradients are not finite changes nothing
    /// (<see cref="StepResult.Applied"/> is false).
    /// </summary>
    public abstract StepResult Step(in TrainingBatch batch);

    /// <summary>Embeddings of items at full width, without dropout.</summary>
    /// <param name="rows">[n] item rows.</param>
    /// <param name="embeddings">Out: [n × D].</param>
    public abstract void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings);

    /// <summary>User vectors at the last step of each sequence, without dropout.</summary>
    /// <param name="sequences">[n] histories.</param>
    /// <param name="vectors">Out: [n × Interests × D]; Interests is 1 except for the mind tower.</param>
    public abstract void EncodeUsers(in JaggedRows sequences, Span<float> vectors);

    /// <summary>
    /// Copies bank entries, newest first, for measures of staleness.
    /// </summary>
    /// <param name="entries">Indices from the newest, 0 … <see cref="BankCount"/> − 1.</param>
    /// <param name="rows">Out: [n] item row of each.</param>
    /// <param name="steps">Out: [n] step at which each entered.</param>
    /// <param name="embeddings">Out: [n × D] stored embeddings.</param>
    public abstract void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings);

    /// <summary>Takes an item's row out of the bank's masks: called when a row is given to another item.</summary>
    /// <param name="row">The row that will be reused. Bank entries of it keep their vectors; their id becomes −1.</param>
    public abstract void ForgetRow(int row);

    /// <summary>
    /// Begins a snapshot of all state as of now: parameters, optimiser, bank. Training may go on at once; the snapshot
    /// keeps showing the state as of this call (copy-on-write) until disposed. One at a time.
    /// </summary>
    public abstract TensorSnapshot BeginSnapshot();

    /// <summary>Copies the dense parameters (item projection and user tower, without optimiser state) as of now: some
    /// megabytes at most, and allowed while a snapshot is active.</summary>
    public abstract TensorSource CopyParameters();

    /// <summary>Replaces all state by that of a snapshot, of this engine or of another with an equal model.</summary>
    /// <exception cref="StateMismatchException">A tensor is missing, too many, or of another shape: names it.</exception>
    public abstract void Restore(TensorSource source);

    /// <summary>Frees what the engine holds.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the engine holds.</summary>
    protected abstract void Dispose(bool disposing);
}
