using System.Collections.Concurrent;
using System.Diagnostics;
using Streaming.Core.Refreshes;

namespace Streaming.Core.Tracing;

/// <summary>The items whose next embedding in the store ends a trace. Thread-safe; costs nothing while it is empty.</summary>
public sealed class TracedItems
{
    /// <summary>The most items at a time. While the store is away, traces of further ones end with the training step.</summary>
    public const int Most = 1024;

    private readonly ConcurrentDictionary<ulong, (ActivityContext Trace, long Step)> _items = new();

    /// <summary>Waits for an item.</summary>
    /// <param name="item">Hash of its id.</param>
    /// <param name="trace">The span of the batch that changed it.</param>
    /// <param name="step">The step that changed it: embeddings of earlier ones are not waited for.</param>
    public void Add(ulong item, ActivityContext trace, long step)
    {
        if (_items.Count < Most)
        {
            _items[item] = (trace, step);
        }
    }

    /// <summary>Begins the span of a write in the trace of the first item that is waited for, with links to the others.</summary>
    /// <param name="batch">What is written.</param>
    /// <returns>The span; null: no item of the batch is waited for.</returns>
    public Activity? StartWrite(IReadOnlyList<Refresh> batch)
    {
        if (_items.IsEmpty)
        {
            return null;
        }

        ActivityContext[] traces =
        [
            .. batch
                .Where(IsAwaited)
                .Select(refresh => _items.TryGetValue(refresh.ItemKey, out (ActivityContext Trace, long) item) ? item.Trace : default)
                .Distinct(),
        ];
        return traces.Length == 0
            ? null
            : StreamTracing
                .Source.StartActivity(
                    "publish to Redis",
                    ActivityKind.Client,
                    traces[0],
                    links: traces.Skip(1).Select(static trace => new ActivityLink(trace))
                )
                ?.SetTag("db.system.name", "redis")
                .SetTag("db.operation.batch.size", batch.Count);
    }

    /// <summary>Ends the waiting for items that were written.</summary>
    /// <param name="batch">What was to be written.</param>
    /// <param name="failed">What was not.</param>
    public void Written(IReadOnlyList<Refresh> batch, IReadOnlyList<Refresh> failed)
    {
        HashSet<ulong> left = [.. failed.Select(static refresh => refresh.ItemKey)];
        foreach (Refresh refresh in batch.Where(IsAwaited).Where(refresh => !left.Contains(refresh.ItemKey)))
        {
            _items.TryRemove(refresh.ItemKey, out _);
        }
    }

    private bool IsAwaited(Refresh refresh) =>
        _items.TryGetValue(refresh.ItemKey, out (ActivityContext Trace, long Step) item) && refresh.Step >= item.Step;
}
