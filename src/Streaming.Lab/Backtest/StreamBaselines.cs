using Streaming.Core.Ingestion;
using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>Baselines on a stream, each ranked, then updated, event by event, with unbounded memory.</summary>
/// <param name="baselines">The methods.</param>
/// <param name="evaluators">Their evaluators.</param>
/// <param name="evaluateEvery">Rank every n-th batch with events, the same ones as for the models.</param>
internal sealed class StreamBaselines(StreamingBaseline[] baselines, PrequentialEvaluator[] evaluators, int evaluateEvery)
{
    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;
    private readonly Dictionary<ulong, int> _users = [];
    private readonly Dictionary<ulong, int> _items = [];
    private readonly Dictionary<int, long> _firstEvents = [];
    private int[] _history = [];
    private long _batches;

    /// <summary>
    /// Recent popularity, item-kNN, Markov, the sum of the last two, the user's most recent items, and matrix factorization.
    /// </summary>
    public static StreamingBaseline[] Create() =>
        [
            new RecentPopularity(),
            new IncrementalItemKnn(),
            new IncrementalMarkov(),
            new SummedBaselines("knn+markov", new IncrementalItemKnn(), new IncrementalMarkov()),
            new OwnLatest(),
            new IncrementalSgd(),
        ];

    /// <summary>Ranks and trains on the events of a batch.</summary>
    public void Take(Batch batch, bool isAfterDrift)
    {
        bool ranked = batch.Count > 0 && _batches++ % evaluateEvery == 0;
        for (int i = 0; i < batch.Count; i++)
        {
            int user = Number(_users, batch.UserKeys[i]);
            ReadOnlySpan<int> history = History(batch, i);
            int item = Number(_items, batch.ItemKeys[i]);
            _firstEvents.TryAdd(item, batch.EventTimes[i]);
            var kind = new ExampleKind(
                batch.IsRepeat[i],
                batch.IsKnownUser[i],
                batch.EventTimes[i] - _firstEvents[item] < Day,
                isAfterDrift
            );
            for (int b = 0; b < baselines.Length; b++)
            {
                if (ranked)
                {
                    TiedRank rank = baselines[b].Rank(user, history, item, kind.IsRepeat ? [] : history);
                    evaluators[b].Record([rank], kind);
                }

                baselines[b].Update(user, history, item);
            }
        }
    }

    private static int Number(Dictionary<ulong, int> numbers, ulong key)
    {
        if (!numbers.TryGetValue(key, out int number))
        {
            number = numbers.Count;
            numbers.Add(key, number);
        }

        return number;
    }

    private ReadOnlySpan<int> History(Batch batch, int example)
    {
        ReadOnlySpan<ulong> keys = batch.History(example);
        if (_history.Length < keys.Length)
        {
            _history = new int[keys.Length];
        }

        for (int i = 0; i < keys.Length; i++)
        {
            _history[i] = Number(_items, keys[i]);
        }

        return _history.AsSpan(0, keys.Length);
    }
}
