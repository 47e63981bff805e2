using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Benchmarks;

/// <summary>Computes nothing and stores nothing, so that what remains is the trainer's own work.</summary>
internal sealed class IdleEngine(ModelOptions model) : TrainingEngine(model)
{
    private readonly double[] _losses = new double[model.Widths.Count];

    public override int BankCount => 0;

    public override string Description => "idle";

    public override void InitializeRow(int row, ulong itemKey) { }

    public override void SetFeatures(int row, ReadOnlySpan<float> features) { }

    public override StepResult Step(in TrainingBatch batch) => new(true, 0, 0, _losses, 0);

    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings) { }

    public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors) { }

    public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings) { }

    public override void ForgetRow(int row) { }

    public override TensorSnapshot BeginSnapshot() => new TensorSet();

    public override TensorSource CopyParameters() => throw new NotSupportedException();

    public override void Restore(TensorSource source) => throw new NotSupportedException();

    protected override void Dispose(bool disposing) { }
}
