using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;

namespace Streaming.Learning.Training;

/// <content>Posts embeddings for publication.</content>
public sealed partial class Trainer
{
    private RefreshChunk? _ownChunk;
    private EmbeddingElement _storedAs = EmbeddingElement.Float16;

    /// <summary>Gets how long a pass over the catalogue takes, in which everything that moved is posted; zero while there is nothing to
    /// refresh. Above the refresh interval, items are refreshed less often than asked for.</summary>
    public TimeSpan RefreshPass => _refreshes.Pass;

    /// <summary>Says how embeddings will be stored. What has not moved, as it is stored, is not posted again. Default float16, which
    /// is also right for int8.</summary>
    public void StoreAs(EmbeddingElement element)
    {
        _storedAs = element;
        _ownChunk = null;
        _refreshes.StoreAs(element);
    }

    /// <summary>Gets a value indicating whether <see cref="CollectChanges"/> has something to post.</summary>
    public bool HasChanges => _refreshes.HasChanges;

    /// <summary>Creates a chunk, for <see cref="FillRefresh"/>.</summary>
    public RefreshChunk CreateRefreshChunk() => _refreshes.CreateChunk(_storedAs);

    /// <summary>Posts what events and records of the catalogue changed.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int CollectChanges(RefreshOutbox outbox)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        return Count(_refreshes.CollectChanges(outbox, _counters.Steps));
    }

    /// <summary>Lets time pass for upkeep: more of the catalogue becomes due.</summary>
    /// <param name="nowMilliseconds">A monotonic time in milliseconds since any instant.</param>
    /// <param name="confirmWithin">When values in the store expire at the earliest after their last write.</param>
    public void AdvanceRefresh(long nowMilliseconds, TimeSpan confirmWithin) =>
        _refreshes.Advance(nowMilliseconds, _counters.Steps, confirmWithin);

    /// <summary>Fills a chunk with items that are due for upkeep; leaves it empty when none is. Another thread may then call its
    /// <see cref="RefreshChunk.Look"/>, while training continues.</summary>
    public void FillRefresh(RefreshChunk chunk)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        _refreshes.Fill(chunk, _counters.Steps);
    }

    /// <summary>Posts what was found in a chunk, and empties it.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int CollectRefresh(RefreshChunk chunk, RefreshOutbox outbox)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        ArgumentNullException.ThrowIfNull(outbox);
        return Count(_refreshes.Collect(chunk, outbox));
    }

    /// <summary>Posts changes and all upkeep that is due, on this thread.</summary>
    /// <param name="outbox">The queue to post to.</param>
    /// <param name="nowMilliseconds">A monotonic time in milliseconds since any instant: paces the upkeep.</param>
    /// <returns>The number of refreshes posted.</returns>
    public int CollectRefreshes(RefreshOutbox outbox, long nowMilliseconds)
    {
        int posted = CollectChanges(outbox);
        AdvanceRefresh(nowMilliseconds, TimeSpan.MaxValue);
        _ownChunk ??= CreateRefreshChunk();
        for (FillRefresh(_ownChunk); _ownChunk.Count > 0; FillRefresh(_ownChunk))
        {
            _ownChunk.Look();
            posted += CollectRefresh(_ownChunk, outbox);
        }

        return posted;
    }

    /// <summary>Marks every item for publication: after a restart, or when the store comes back empty.</summary>
    public void RefreshAll() => _refreshes.MarkAll();

    private int Count(int posted)
    {
        _counters.Refreshes += posted;

        // Here too: on a quiet stream the next batch may be far away.
        Metrics.Update(this);
        return posted;
    }
}
