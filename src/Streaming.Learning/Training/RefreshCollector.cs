using System.Runtime.InteropServices;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Learning.Counts;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// Selects the items whose embeddings are posted. Changes, at once: removals, and items of new events and records. Upkeep, in chunks that
/// another thread looks through: items touched by training, and a share of all others, of which only what moved is posted. Each rank
/// posts the items whose rows it stores.
/// </summary>
internal sealed class RefreshCollector
{
    private static readonly RefreshReason[] Reasons = Enum.GetValues<RefreshReason>();
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly RefreshOptions _options;
    private readonly RelatedLists? _related;
    private readonly int _dimension;
    private readonly int _ranks;
    private readonly int _rank;
    private readonly RowQueue _urgent;
    private readonly RowQueue _touched;
    private readonly RefreshPace _pace;
    private readonly long[] _producedTimes;
    private readonly ulong[] _digests;
    private readonly float[] _sketches;
    private readonly bool[] _counted;
    private readonly float[] _signs;
    private readonly List<Refresh> _refreshes = [];
    private RefreshChunk _changes;
    private int _touchedDue;
    private int _changed;
    private int _lastReason;
    private double _probeLimit = 1e-3;

    public RefreshCollector(TrainingEngine engine, ItemTable items, RefreshOptions options, RelatedLists? related = null)
    {
        _related = related;
        options.Validate();
        _engine = engine;
        _items = items;
        _options = options;
        _dimension = engine.Model.Dimension;
        (_ranks, _rank) = (engine.Ranks.Size, engine.Ranks.Rank);
        _urgent = new RowQueue(items.Capacity);
        _touched = new RowQueue(items.Capacity);
        _pace = new RefreshPace(items, options.RefreshInterval);
        int stored = (items.Capacity / _ranks) + 1;
        _producedTimes = new long[stored];
        _digests = new ulong[stored];
        _sketches = new float[stored * RefreshChunk.SketchSize];
        _counted = new bool[stored];
        _signs = new float[RefreshChunk.SketchSize * _dimension];
        for (int i = 0; i < _signs.Length; i++)
        {
            _signs[i] = (KeyMix.Mix((ulong)i) & 1) == 0 ? 1f : -1f;
        }

        _changes = CreateChunk(EmbeddingElement.Float16);
    }

    /// <summary>Gets the number of items waiting because of events or training.</summary>
    public int Waiting => _urgent.Count + _touched.Count;

    /// <summary>Gets a value indicating whether events or records have changed or removed items since the last collection.</summary>
    public bool HasChanges => _urgent.Count > 0 || _items.Removed.Count > 0;

    /// <summary>Gets how long a pass over the catalogue takes; zero while there is nothing to refresh.</summary>
    public TimeSpan Pass => _pace.Pass;

    /// <summary>Creates a chunk for embeddings that are stored as numbers of a type.</summary>
    public RefreshChunk CreateChunk(EmbeddingElement element) => new(_dimension, element, _signs);

    /// <summary>Says how embeddings are stored: digests are of stored numbers.</summary>
    public void StoreAs(EmbeddingElement element) => _changes = CreateChunk(element);

    /// <summary>Marks an item with a new event or record: it is posted at the next collection.</summary>
    public void MarkUrgent(int row, long producedTime)
    {
        if (!Stores(row))
        {
            return;
        }

        ref long produced = ref _producedTimes[Slot(row)];
        produced = producedTime > 0 && (produced == 0 || producedTime < produced) ? producedTime : produced;
        _urgent.Enqueue(row);
    }

    /// <summary>Marks items whose embeddings were trained.</summary>
    public void MarkTouched(ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            if (Stores(row))
            {
                _touched.Enqueue(row);
            }
        }
    }

    /// <summary>Marks items whose lists were counted into; −1: none.</summary>
    public void MarkCounted(ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            if (row >= 0 && Stores(row))
            {
                _counted[Slot(row)] = true;
                _touched.Enqueue(row);
            }
        }
    }

    /// <summary>Resets a row that was given to another item, or to none.</summary>
    public void Reset(int row)
    {
        if (!Stores(row))
        {
            return;
        }

        int slot = Slot(row);
        _producedTimes[slot] = 0;
        _digests[slot] = 0;
        _counted[slot] = true;
        Sketch(slot).Clear();
    }

    /// <summary>Forgets what was posted: everything is posted again, as fast as the bounds allow.</summary>
    public void MarkAll()
    {
        Array.Clear(_digests);
        Array.Fill(_counted, true);
        _pace.OweAll();
    }

    /// <summary>Posts removals and items of new events and records.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int CollectChanges(RefreshOutbox outbox, long step)
    {
        _refreshes.Clear();
        AddRemovals(step);
        for (int left = Math.Min(_urgent.Count, _options.MaxTouched); left > 0; left -= _changes.Count)
        {
            _changes.Count = 0;
            while (_changes.Count < Math.Min(left, RefreshChunk.MaxItems) && _urgent.TryDequeue(out int row))
            {
                Add(_changes, row);
            }

            if (_changes.Count == 0)
            {
                break;
            }

            AddChanges(step);
        }

        _changed = _refreshes.Count;
        return Post(outbox);
    }

    /// <summary>Lets time pass: more items become due for upkeep.</summary>
    /// <param name="now">A monotonic time in milliseconds since any instant.</param>
    /// <param name="step">Steps so far.</param>
    /// <param name="confirmWithin">When values in the store expire at the earliest.</param>
    public void Advance(long now, long step, TimeSpan confirmWithin)
    {
        _pace.Advance(now, step, confirmWithin);
        _touchedDue = Math.Clamp(_options.MaxTouched - _changed, 0, _touched.Count);
    }

    /// <summary>Fills a chunk with items that are due; leaves it empty when none is.</summary>
    public void Fill(RefreshChunk chunk, long step)
    {
        (chunk.Count, chunk.Step, chunk.Limit) = (0, step, _probeLimit);
        for (int tried = 0; tried < Reasons.Length && chunk.Count == 0; tried++)
        {
            _lastReason = (_lastReason + 1) % Reasons.Length;
            chunk.Reason = Reasons[_lastReason];
            for (int due = DueFor(chunk.Reason); due > 0 && chunk.Count < RefreshChunk.MaxItems; due--)
            {
                Add(chunk, Next(chunk.Reason));
            }
        }

        FillIn(chunk, chunk.Reason);
    }

    /// <summary>Posts what <see cref="RefreshChunk.Look"/> found, apart from items that were removed or posted meanwhile.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int Collect(RefreshChunk chunk, RefreshOutbox outbox)
    {
        _refreshes.Clear();
        for (int i = 0; i < chunk.Count; i++)
        {
            int row = chunk.Rows[i];
            if (chunk.IsMoved(i) && _digests[Slot(row)] == chunk.Posted[i] && _items.Find(chunk.Items[i].ItemKey) == row)
            {
                _refreshes.Add(chunk.Items[i]);
                Remember(chunk, i);
            }
        }

        if (chunk.Reason == RefreshReason.Probe)
        {
            // Steers towards as many posts ahead of their turn as in turn; below a millionth nothing has moved.
            double share = chunk.Count == 0 ? 0 : (double)_refreshes.Count / chunk.Count;
            _probeLimit = Math.Max(_probeLimit * (share > 1.0 / 3 ? 1.25 : 0.8), 1e-6);
        }

        chunk.Count = 0;
        return Post(outbox);
    }

    private void AddRemovals(long step)
    {
        foreach (RemovedItem item in _items.Removed)
        {
            // The item may have been admitted again since. It has no row any more, so its key says which rank removes it.
            if (_items.Find(item.Key) < 0 && item.Key % (ulong)_ranks == (ulong)_rank)
            {
                _refreshes.Add(new Refresh(item.Key, item.Id, null, step, 0, 0));
            }
        }

        _items.Removed.Clear();
    }

    private void AddChanges(long step)
    {
        _changes.Step = step;
        _changes.Reason = RefreshReason.Confirm;
        FillIn(_changes, RefreshReason.Confirm);
        _changes.Look();
        for (int i = 0; i < _changes.Count; i++)
        {
            int slot = Slot(_changes.Rows[i]);
            _refreshes.Add(_changes.Items[i] with { ProducedTime = _producedTimes[slot], IsUpkeep = false });
            _producedTimes[slot] = 0;
            Remember(_changes, i);
        }
    }

    private int Post(RefreshOutbox outbox)
    {
        if (_refreshes.Count > 0)
        {
            outbox.Post(CollectionsMarshal.AsSpan(_refreshes));
        }

        return _refreshes.Count;
    }

    private int DueFor(RefreshReason reason) => reason == RefreshReason.Touched ? Math.Min(_touchedDue, _touched.Count) : _pace.Due(reason);

    private int Next(RefreshReason reason)
    {
        if (reason != RefreshReason.Touched)
        {
            return _pace.Next(reason);
        }

        _touchedDue--;
        return _touched.TryDequeue(out int row) ? row : -1;
    }

    private void Add(RefreshChunk chunk, int row)
    {
        if (row >= 0 && _items.IsLive(row) && Stores(row))
        {
            chunk.Rows[chunk.Count++] = row;
        }
    }

    private void FillIn(RefreshChunk chunk, RefreshReason reason)
    {
        if (chunk.Count == 0)
        {
            return;
        }

        _engine.EncodeStored(chunk.Rows.AsSpan(0, chunk.Count), chunk.Vectors.AsSpan(0, chunk.Count * _dimension));
        for (int i = 0; i < chunk.Count; i++)
        {
            int row = chunk.Rows[i];
            int slot = Slot(row);
            chunk.Posted[i] = _digests[slot];
            Sketch(slot).CopyTo(chunk.Sketches.AsSpan(i * RefreshChunk.SketchSize));

            // Lists are made only where they may have changed: that costs more than the vector.
            bool keepsLists = _related is not null && reason != RefreshReason.Confirm && (reason == RefreshReason.Probe || !_counted[slot]);
            chunk.Items[i] = new Refresh(_items.KeyOf(row), _items.IdOf(row), null, chunk.Step, _items.NewestEvent(row), 0)
            {
                Related = keepsLists ? null : _related?.Of(row),
                KeepsRelated = keepsLists,
                Facts = _items.FactsOf(row),
                IsUpkeep = true,
            };
        }
    }

    private void Remember(RefreshChunk chunk, int i)
    {
        int slot = Slot(chunk.Rows[i]);
        _digests[slot] = chunk.Digests[i];
        _counted[slot] &= chunk.Items[i].KeepsRelated;
        chunk.Sketches.AsSpan(i * RefreshChunk.SketchSize, RefreshChunk.SketchSize).CopyTo(Sketch(slot));
    }

    // Asked for every item of every history: the engine's ranks are behind two virtual calls.
    private bool Stores(int row) => _ranks == 1 || row % _ranks == _rank;

    private int Slot(int row) => _ranks == 1 ? row : row / _ranks;

    private Span<float> Sketch(int slot) => _sketches.AsSpan(slot * RefreshChunk.SketchSize, RefreshChunk.SketchSize);
}
