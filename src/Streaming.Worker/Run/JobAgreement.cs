using System.Text.Json;
using Streaming.Core.Hashing;
using Streaming.Learning.Ranks;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Run;

/// <summary>How a job of many ranks begins: all have the same settings; rank 0 plans and waits for the lease; then all begin.</summary>
/// <param name="ranks">The ranks.</param>
internal sealed class JobAgreement(Collective ranks)
{
    private const int Stops = 1;
    private const int Begins = 2;
    private const int IsOver = 4;

    // While rank 0 waits for the lease, perhaps for days: a collective operation waits by polling, which costs a core.
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(100);
    private readonly int[] _ones = [.. Enumerable.Repeat(1, ranks.Size)];

    /// <summary>A number that no other job has, the same on all ranks. Collective.</summary>
    public ulong Number()
    {
        Span<ulong> number = [BitConverter.ToUInt64(Guid.NewGuid().ToByteArray())];
        ranks.Broadcast(number, root: 0);
        return number[0];
    }

    /// <summary>Compares the settings of all ranks.</summary>
    /// <exception cref="SettingsException">They differ: names the sections.</exception>
    public void RequireEqualSettings(WorkerOptions settings)
    {
        (string Name, object Value)[] sections =
        [
            (nameof(settings.Model), settings.Model),
            (nameof(settings.Training), new { settings.Engine.Engine, settings.Training }),
            (nameof(settings.Batching), settings.Batching),
            (nameof(settings.History), settings.History),
            (nameof(settings.Dedup), settings.Dedup),
            (nameof(settings.Events), settings.Events),
            (nameof(settings.Items), settings.Items),
            (nameof(settings.Checkpoint), settings.Checkpoint),
            (nameof(settings.Redis), (settings.Redis.Model, settings.Redis.Partitions, settings.Redis.Element).ToString()),
            (nameof(settings.Kafka), (settings.Kafka.InteractionsTopic, settings.Kafka.ItemsTopic).ToString()),
        ];
        ulong[] own = [.. sections.Select(static section => XxHash64.Hash(JsonSerializer.SerializeToUtf8Bytes(section.Value)))];
        ulong[] all = new ulong[own.Length * ranks.Size];
        ranks.Gather<ulong>(own, all, _ones, own.Length);
        for (int rank = 1; rank < ranks.Size; rank++)
        {
            string[] differing =
            [
                .. sections
                    .Where((_, i) => all[(rank * own.Length) + i] != all[i])
                    .Select(static section => $"STREAMING__{section.Name}__*"),
            ];
            if (differing.Length > 0)
            {
                throw new SettingsException([
                    $"Rank {rank} has other settings than rank 0 in {string.Join(", ", differing)}; give every rank the same.",
                ]);
            }
        }
    }

    /// <summary>Waits in rounds until rank 0 begins, or a rank is told to stop.</summary>
    /// <param name="begin">On rank 0: ends once it holds the lease; null when it was told to stop before. Not used on others.</param>
    /// <param name="stop">Cancelled when another rank was told to stop.</param>
    /// <returns>What to begin with; null: the job is over before it began.</returns>
    public async Task<JobStart?> WaitAsync(Task<JobStart?> begin, CancellationTokenSource stop)
    {
        int[] states = new int[ranks.Size];
        while (true)
        {
            int own = stop.IsCancellationRequested ? Stops : 0;
            if (ranks.Rank == 0 && begin.IsCompleted)
            {
                own |= begin is { IsCompletedSuccessfully: true, Result: not null } ? Begins : IsOver;
            }

            ranks.Gather([own], states, _ones);
            if ((states[0] & (Begins | IsOver)) != 0)
            {
                return (states[0] & Begins) != 0 ? Broadcast(ranks.Rank == 0 ? await begin.ConfigureAwait(false) : null)
                    : ranks.Rank == 0 ? await begin.ConfigureAwait(false)
                    : null;
            }

            if (Array.Exists(states, static state => (state & Stops) != 0) && !stop.IsCancellationRequested)
            {
                await stop.CancelAsync().ConfigureAwait(false);
            }

            await Task.WhenAny(begin, Task.Delay(Round, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    private JobStart Broadcast(JobStart? start)
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(start);
        int[] length = [text.Length];
        ranks.Broadcast(length.AsSpan(), root: 0);
        text = ranks.Rank == 0 ? text : new byte[length[0]];
        ranks.Broadcast(text.AsSpan(), root: 0);
        return JsonSerializer.Deserialize<JobStart>(text)!;
    }
}
