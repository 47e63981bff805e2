using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Models.Batches;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public sealed class StepShareTests
{
    /// <summary>Random batches, empty histories and several predictions of a sequence included.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Of_PartsInRankOrder_AreTheBatch(int ranks)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Parts whole = Make(new Random(seed));
            var parts = new Parts[ranks];
            InProcessRanks.Run(ranks, rank => parts[rank.Rank] = Parts.Of(new StepShare(rank).Of(whole.ToBatch())));

            Assert.Equal(whole.Examples, [.. parts.SelectMany(static part => part.Examples)]);
            Assert.Equal(whole.Negatives, [.. parts.SelectMany(static part => part.Negatives)]);
            Assert.Equal(whole.NegativeLogQ, [.. parts.SelectMany(static part => part.NegativeLogQ)]);

            // No rank has more than its part of the steps and one sequence.
            int total = whole.Steps;
            Assert.All(parts, part => Assert.InRange(part.Steps, 0, (total / ranks) + 1 + 6));
        }
    }

    private static Parts Make(Random random)
    {
        var parts = new Parts();
        int sequences = random.Next(12);
        for (int s = 0; s < sequences; s++)
        {
            int[] history = [.. Enumerable.Range(0, random.Next(6)).Select(_ => random.Next(100))];
            var predictions = new List<(int, int, float, float)>();
            for (int step = 0; step <= history.Length; step++)
            {
                if (step == history.Length || random.Next(3) == 0)
                {
                    predictions.Add((step, random.Next(100), random.NextSingle(), -random.NextSingle()));
                }
            }

            parts.Examples.Add(new Example(string.Join(' ', history), string.Join(' ', predictions)));
            parts.Raw.Add((history, predictions));
        }

        for (int i = random.Next(7); i > 0; i--)
        {
            parts.Negatives.Add(random.Next(100));
            parts.NegativeLogQ.Add(-random.NextSingle());
        }

        return parts;
    }

    private sealed record Example(string History, string Predictions);

    /// <summary>A batch, sequence by sequence.</summary>
    private sealed class Parts
    {
        public List<Example> Examples { get; } = [];

        public List<(int[] History, List<(int Step, int Item, float Weight, float LogQ)> Predictions)> Raw { get; } = [];

        public List<int> Negatives { get; } = [];

        public List<float> NegativeLogQ { get; } = [];

        public int Steps { get; private set; }

        public TrainingBatch ToBatch()
        {
            var offsets = new List<int> { 0 };
            var rows = new List<int>();
            var predictions = new List<(int Step, int Item, float Weight, float LogQ)>();
            foreach ((int[] history, List<(int Step, int Item, float Weight, float LogQ)> own) in Raw)
            {
                int first = rows.Count + offsets.Count - 1;
                predictions.AddRange(own.Select(prediction => prediction with { Step = prediction.Step + first }));
                rows.AddRange(history);
                offsets.Add(rows.Count);
            }

            Steps = rows.Count + Raw.Count;
            return new TrainingBatch
            {
                Sequences = new JaggedRows { Rows = rows.ToArray(), Offsets = offsets.ToArray() },
                PredictionSteps = predictions.Select(static prediction => prediction.Step).ToArray(),
                Positives = predictions.Select(static prediction => prediction.Item).ToArray(),
                Weights = predictions.Select(static prediction => prediction.Weight).ToArray(),
                LogQ = predictions.Select(static prediction => prediction.LogQ).ToArray(),
                Negatives = Negatives.ToArray(),
                NegativeLogQ = NegativeLogQ.ToArray(),
            };
        }

        public static Parts Of(in TrainingBatch batch)
        {
            var parts = new Parts { Steps = batch.Sequences.Rows.Length + batch.Sequences.Count };
            for (int s = 0, prediction = 0; s < batch.Sequences.Count; s++)
            {
                int start = batch.Sequences.Offsets[s],
                    end = batch.Sequences.Offsets[s + 1];
                var own = new List<(int, int, float, float)>();
                for (; prediction < batch.Positives.Length && batch.PredictionSteps[prediction] <= end + s; prediction++)
                {
                    own.Add(
                        (
                            batch.PredictionSteps[prediction] - start - s,
                            batch.Positives[prediction],
                            batch.Weights[prediction],
                            batch.LogQ[prediction]
                        )
                    );
                }

                parts.Examples.Add(new Example(string.Join(' ', batch.Sequences.Rows[start..end].ToArray()), string.Join(' ', own)));
            }

            parts.Negatives.AddRange(batch.Negatives);
            parts.NegativeLogQ.AddRange(batch.NegativeLogQ);
            return parts;
        }
    }
}
