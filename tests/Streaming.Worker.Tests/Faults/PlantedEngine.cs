using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Worker.Tests.Faults;

/// <summary>The CPU engine with a fault planted in its steps.</summary>
/// <param name="model">The model.</param>
/// <param name="isGood">Called before each step with its number in this run; false makes its loss NaN.</param>
internal sealed class PlantedEngine(ModelOptions model, Func<int, bool> isGood) : TrainingEngine(model)
{
    private readonly CpuEngine _inner = new(model, threads: 1);
    private int _steps;

    public bool IsDisposed { get; private set; }

    public override int BankCount => _inner.BankCount;

    public override string Description => _inner.Description;

    public override StepResult Step(in TrainingBatch batch) =>
        isGood(_steps++) ? _inner.Step(batch) : new StepResult(IsApplied: false, double.NaN, double.NaN, new double[Model.Widths.Count], 0);

    public override void InitializeRow(int row, ulong itemKey) => _inner.InitializeRow(row, itemKey);

    public override void SetFeatures(int row, ReadOnlySpan<float> features) => _inner.SetFeatures(row, features);

    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings) => _inner.EncodeItems(rows, embeddings);

    public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors) => _inner.EncodeUsers(sequences, vectors);

    public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings) =>
        _inner.ReadBank(entries, rows, steps, embeddings);

    public override void ForgetRow(int row) => _inner.ForgetRow(row);

    public override TensorSnapshot BeginSnapshot() => _inner.BeginSnapshot();

    public override TensorSource CopyParameters() => _inner.CopyParameters();

    public override void Restore(TensorSource source) => _inner.Restore(source);

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        _inner.Dispose();
    }
}
