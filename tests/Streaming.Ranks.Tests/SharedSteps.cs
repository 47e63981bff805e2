using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Cpu;
using Streaming.Learning.Tests.Cpu.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;

namespace Streaming.Ranks.Tests;

/// <summary>Steps of ranks with uneven shares, and a digest of every bit that they computed.</summary>
internal static class SharedSteps
{
    public static string Run(Collective ranks)
    {
        ModelOptions model = TestEngines.Options(TowerKind.FmrlRec) with { Loss = LossKind.Union, BalanceBank = true };
        int[] cuts = [0, .. Enumerable.Range(1, ranks.Size - 1).Select(rank => (100 * rank / ranks.Size) - (10 * (rank % 2))), 100];
        using var engine = new ShardedCpuEngine(model, 1, ranks);
        TestEngines.Fill(engine);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int step = 1; step <= 10; step++)
        {
            var batch = new RandomBatch(step, 40, model.HistoryLength, TestEngines.Items, negatives: 20)
            {
                Step = step,
                LearningRate = 0.01f,
                Enqueue = true,
                BankEntries = engine.BankCount,
                DrawnFrom = TestEngines.Items,
            };
            StepResult result = engine.Step(new RankBatch(batch, ranks.Rank, cuts).Batch);
            digest.AppendData(MemoryMarshal.AsBytes([result.Loss, result.GradientNorm]));
        }

        float[] items = new float[TestEngines.Items * model.Dimension];
        engine.EncodeItems([.. Enumerable.Range(0, TestEngines.Items)], items);
        digest.AppendData(MemoryMarshal.AsBytes<float>(items));
        digest.AppendData(MemoryMarshal.AsBytes<float>(engine.Parameters.Values));
        return Convert.ToHexString(digest.GetHashAndReset());
    }
}
