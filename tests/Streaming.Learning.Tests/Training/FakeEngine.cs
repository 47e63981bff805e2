using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Tests.Training;

/// <summary>
/// A small engine with real state: id embeddings that a step pulls toward the mean of the history, a bank,
/// snapshots. Enough to test everything above the engine interface without a network.
/// </summary>
internal sealed class FakeEngine : TrainingEngine
{
    private readonly float[] _embeddings;
    private readonly float[] _features;
    private readonly int[] _bankRows;
    private readonly long[] _bankSteps;
    private readonly float[] _bankVectors;
    private readonly double[] _losses;
    private int _bankNext;
    private int _bankCount;

    public FakeEngine(ModelOptions model)
        : base(model)
    {
        _embeddings = new float[model.ItemCapacity * model.Dimension];
        _features = new float[model.ItemCapacity * model.FeatureLength];
        _bankRows = new int[model.BankCapacity];
        _bankSteps = new long[model.BankCapacity];
        _bankVectors = new float[model.BankCapacity * model.Dimension];
        _losses = new double[model.Widths.Count];
    }

    public List<ulong> InitializedKeys { get; } = [];

    public List<int> ForgottenRows { get; } = [];

    /// <summary>Added to all embeddings at every step: a planted drift.</summary>
    public float Drift { get; set; }

    /// <summary>Makes steps fail as if the loss were not finite.</summary>
    public bool NonFinite { get; set; }

    /// <summary>Makes steps return before their outcome is known, as an engine does that reads it from its device now and then.</summary>
    public bool Unread { get; set; }

    /// <summary>The inputs of the steps so far.</summary>
    public List<SeenStep> Steps { get; } = [];

    public override int BankCount => _bankCount;

    public override string Description => "fake";

    public Span<float> Embedding(int row) => _embeddings.AsSpan(row * Model.Dimension, Model.Dimension);

    public ReadOnlySpan<float> Features(int row) => _features.AsSpan(row * Model.FeatureLength, Model.FeatureLength);

    public override void InitializeRow(int row, ulong itemKey)
    {
        InitializedKeys.Add(itemKey);
        var random = new Random((int)(itemKey % int.MaxValue));
        foreach (ref float value in Embedding(row))
        {
            value = (float)((random.NextDouble() * 2) - 1);
        }

        _features.AsSpan(row * Model.FeatureLength, Model.FeatureLength).Clear();
    }

    public override void SetFeatures(int row, ReadOnlySpan<float> features) => features.CopyTo(_features.AsSpan(row * Model.FeatureLength));

    public override StepResult Step(in TrainingBatch batch)
    {
        Steps.Add(SeenStep.Of(batch));
        if (NonFinite)
        {
            return new StepResult(false, double.NaN, double.NaN, _losses, 0);
        }

        float[] user = new float[Model.Dimension];
        int sequence = 0;
        for (int i = 0; i < batch.Positives.Length; i++)
        {
            // Sequence s has the steps Offsets[s] + s … Offsets[s + 1] + s; the k-th follows k of its items.
            while (batch.PredictionSteps[i] > batch.Sequences.Offsets[sequence + 1] + sequence)
            {
                sequence++;
            }

            EncodeUser(batch.Sequences.Rows[batch.Sequences.Offsets[sequence]..(batch.PredictionSteps[i] - sequence)], user);
            Span<float> item = Embedding(batch.Positives[i]);
            for (int d = 0; d < item.Length; d++)
            {
                item[d] += batch.LearningRate * batch.Weights[i] * (user[d] - item[d] - (0.01f * batch.LogQ[i]));
            }
        }

        for (int i = 0; i < _embeddings.Length; i++)
        {
            _embeddings[i] += Drift;
        }

        if (batch.EnqueuePositives)
        {
            Enqueue(batch);
        }

        Array.Fill(_losses, 1.5);
        return new StepResult(true, 1.5, 1, _losses, batch.Positives.Length + batch.BankEntries) { IsRead = !Unread };
    }

    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            Embedding(rows[i]).CopyTo(embeddings.Slice(i * Model.Dimension, Model.Dimension));
        }
    }

    public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors)
    {
        for (int i = 0; i < sequences.Count; i++)
        {
            // Several vectors: the mean of the history, then the same with its values reversed, and so on.
            int size = Model.VectorsPerUser * Model.Dimension;
            Span<float> user = vectors.Slice(i * size, size);
            EncodeUser(sequences.Rows[sequences.Offsets[i]..sequences.Offsets[i + 1]], user[..Model.Dimension]);
            for (int d = Model.Dimension; d < size; d++)
            {
                user[d] = user[(d - Model.Dimension) ^ 1] * ((d & 1) == 0 ? 1.5f : -0.5f);
            }
        }
    }

    public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            int slot = (_bankNext - 1 - entries[i] + (2 * _bankRows.Length)) % _bankRows.Length;
            rows[i] = _bankRows[slot];
            steps[i] = _bankSteps[slot];
            _bankVectors.AsSpan(slot * Model.Dimension, Model.Dimension).CopyTo(embeddings[(i * Model.Dimension)..]);
        }
    }

    public override void ForgetRow(int row)
    {
        ForgottenRows.Add(row);
        for (int i = 0; i < _bankCount; i++)
        {
            _bankRows[i] = _bankRows[i] == row ? -1 : _bankRows[i];
        }
    }

    public override TensorSnapshot BeginSnapshot()
    {
        var tensors = new TensorSet();
        tensors.Add<float>("items.embedding", _embeddings);
        tensors.Add<float>("items.features", _features);
        tensors.Add<int>("bank.rows", _bankRows);
        tensors.Add<long>("bank.steps", _bankSteps);
        tensors.Add<float>("bank.vectors", _bankVectors);
        tensors.Add<int>("bank.state", [_bankNext, _bankCount]);
        return tensors;
    }

    public override TensorSource CopyParameters() => new TensorSet();

    public override void Restore(TensorSource source)
    {
        var reader = new TensorReader(source);
        reader.Read<float>("items.embedding", _embeddings);
        reader.Read<float>("items.features", _features);
        reader.Read<int>("bank.rows", _bankRows);
        reader.Read<long>("bank.steps", _bankSteps);
        reader.Read<float>("bank.vectors", _bankVectors);
        int[] state = new int[2];
        reader.Read<int>("bank.state", state);
        (_bankNext, _bankCount) = (state[0], state[1]);
    }

    /// <summary>All state as bytes, to compare two engines.</summary>
    public byte[] StateBytes()
    {
        using TensorSnapshot snapshot = BeginSnapshot();
        using var stream = new MemoryStream();
        Safetensors.Write(snapshot, stream);
        return stream.ToArray();
    }

    protected override void Dispose(bool disposing) { }

    private void Enqueue(in TrainingBatch batch)
    {
        foreach (int row in batch.Positives)
        {
            _bankRows[_bankNext] = row;
            _bankSteps[_bankNext] = batch.Step;
            Embedding(row).CopyTo(_bankVectors.AsSpan(_bankNext * Model.Dimension));
            _bankNext = (_bankNext + 1) % _bankRows.Length;
            _bankCount = Math.Min(_bankCount + 1, _bankRows.Length);
        }
    }

    private void EncodeUser(ReadOnlySpan<int> rows, Span<float> vector)
    {
        vector.Clear();
        foreach (int row in rows)
        {
            for (int d = 0; d < vector.Length; d++)
            {
                vector[d] += Embedding(row)[d] / rows.Length;
            }
        }
    }

    /// <summary>A copy of a step's inputs.</summary>
    internal sealed record SeenStep(
        int[] Positives,
        int[] PredictionSteps,
        int[] Rows,
        int[] Offsets,
        float[] LogQ,
        float[] Weights,
        int[] Negatives,
        float[] NegativeLogQ,
        int DrawnFrom,
        int BankEntries,
        bool Enqueue,
        float LearningRate,
        long Step
    )
    {
        public static SeenStep Of(in TrainingBatch batch) =>
            new(
                batch.Positives.ToArray(),
                batch.PredictionSteps.ToArray(),
                batch.Sequences.Rows.ToArray(),
                batch.Sequences.Offsets.ToArray(),
                batch.LogQ.ToArray(),
                batch.Weights.ToArray(),
                batch.Negatives.ToArray(),
                batch.NegativeLogQ.ToArray(),
                batch.DrawnFrom,
                batch.BankEntries,
                batch.EnqueuePositives,
                batch.LearningRate,
                batch.Step
            );
    }
}
