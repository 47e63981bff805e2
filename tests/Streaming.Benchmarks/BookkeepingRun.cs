using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Learning.Training;
using Streaming.Models.State;

namespace Streaming.Benchmarks;

/// <summary>What a trainer does for an event outside its engine, on one thread: items, frequencies, counts, replay, assembly.</summary>
internal sealed class BookkeepingRun(TextWriter output)
{
    private const int Batch = 2048;
    private const int Warmup = 50;
    private const int Measured = 100;

    /// <summary>Prints a row for the whole, and one without each of the largest parts. The hash is of the trainer's state: a change that
    /// only saves time leaves it as it is.</summary>
    public void Run()
    {
        TrainerOptions whole = new() { EvaluateEvery = -1 };
        TrainerOptions uncounted = whole with { Counts = whole.Counts with { MaxBytes = 0 } };
        TrainerOptions unreplayed = whole with { Replay = whole.Replay with { Ratio = 0 } };
        TrainerOptions neither = uncounted with { Replay = unreplayed.Replay };
        var table = new Table(output, "bookkeeping of an event", "µs", "bytes allocated", "hash of the state");
        foreach (
            (string name, TrainerOptions options) in new[]
            {
                ("all", whole),
                ("without counts", uncounted),
                ("without replay", unreplayed),
                ("without both", neither),
            }
        )
        {
            (double seconds, double allocated, ulong hash) = Measure(options, Warmup, Measured);
            table.Row($"{name}", $"{1e6 * seconds:F2}", $"{allocated:F2}", $"{hash:x16}");
        }
    }

    /// <summary>Measures the trainer with an engine that does nothing.</summary>
    /// <returns>Seconds and bytes of one event, and a hash of the trainer's state at the end.</returns>
    public static (double Seconds, double Allocated, ulong Hash) Measure(TrainerOptions options, int warmup, int measured)
    {
        using var engine = new IdleEngine(RanksWorkload.Model);
        using var trainer = new Trainer(engine, options);
        var times = new List<double>();
        long allocated = 0;
        for (int number = 0; number < warmup + measured; number++)
        {
            Batch batch = RankedEvents.Make(number, Batch);
            long before = GC.GetAllocatedBytesForCurrentThread();
            double seconds = Timing.Once(() => trainer.Train(batch));
            if (number >= warmup)
            {
                times.Add(seconds / Batch);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }

        // Other load makes a batch slower, never faster.
        return (times.Order().ElementAt(times.Count / 10), allocated / ((double)measured * Batch), HashOf(trainer));
    }

    private static ulong HashOf(Trainer trainer)
    {
        using TrainerSnapshot snapshot = trainer.BeginSnapshot();
        ulong hash = 0;
        for (int tensor = 0; tensor < snapshot.Trainer.Tensors.Count; tensor++)
        {
            TensorInfo info = snapshot.Trainer.Tensors[tensor];
            byte[] bytes = new byte[info.ByteCount()];
            snapshot.Trainer.Read(tensor, 0, bytes);
            hash = XxHash64.Hash(bytes, hash);
        }

        return hash;
    }
}
