using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Core.Refreshes;
using Streaming.Learning.Counts;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// Selects the items whose embeddings are posted now: removals; items of new events and records; items touched by training; a
/// slice of all others, so that each is posted within the refresh interval; and, ahead of schedule, those of the others that
/// moved most.
/// </summary>
/// <remarks>
/// Movement is measured, not guessed: for each posted vector a sketch of eight random signed sums is kept (Johnson and
/// Lindenstrauss), and the squared distance of sketches estimates that of the vectors, usually within a factor of two. One
/// cursor passes over the rows once per refresh interval and posts all; a second, the probe, runs three times as often and
/// posts what moved most.
/// </remarks>
internal sealed class RefreshCollector
{
    private const int SketchSize = 8;
    private const int ProbeSpeed = 3;
    private const int ChunkRows = 256;
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly RefreshOptions _options;
    private readonly RelatedLists? _related;
    private readonly int _dimension;
    private readonly RowQueue _urgent;
    private readonly RowQueue _touched;
    private readonly long[] _producedTimes;
    private readonly float[] _sketches;
    private readonly float[] _signs;
    private readonly float[] _sketch = new float[SketchSize];
    private readonly int[] _rows = new int[ChunkRows];
    private readonly float[] _vectors;
    private readonly List<Refresh> _refreshes = [];
    private int _count;
    private int _cursor;
    private int _probe;
    private double _owed;
    private double _probeLimit = 1e-3;
    private int _all;
    private long _lastTime;

    public RefreshCollector(TrainingEngine engine, ItemTable items, RefreshOptions options, RelatedLists? related = null)
    {
        _related = related;
        options.Validate();
        _engine = engine;
        _items = items;
        _options = options;
        _dimension = engine.Model.Dimension;
        _urgent = new RowQueue(items.Capacity);
        _touched = new RowQueue(items.Capacity);
        _producedTimes = new long[items.Capacity];
        _sketches = new float[items.Capacity * SketchSize];
        _vectors = new float[ChunkRows * _dimension];
        _signs = new float[SketchSize * _dimension];
        for (int i = 0; i < _signs.Length; i++)
        {
            _signs[i] = (KeyMix.Mix((ulong)i) & 1) == 0 ? 1f : -1f;
        }
    }

    /// <summary>Gets the number of items waiting because of events or training.</summary>
    public int Waiting => _urgent.Count + _touched.Count;

    /// <summary>Marks an item with a new event or record: it is posted at the next collection.</summary>
    public void MarkUrgent(int row, long producedTime)
    {
        if (producedTime > 0 && (_producedTimes[row] == 0 || producedTime < _producedTimes[row]))
        {
            _producedTimes[row] = producedTime;
        }

        _urgent.Enqueue(row);
    }

    /// <summary>Marks an item whose embedding was trained as part of a history.</summary>
    public void MarkTouched(int row) => _touched.Enqueue(row);

    /// <summary>Resets a row that was given to another item, or to none.</summary>
    public void Reset(int row)
    {
        _producedTimes[row] = 0;
        _sketches.AsSpan(row * SketchSize, SketchSize).Clear();
    }

    /// <summary>Marks everything to be posted again, as fast as the bounds allow.</summary>
    public void MarkAll() => _all = Math.Max(_items.HighWater - _items.FallbackRows, 0);

    /// <summary>Posts what is due.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int Collect(RefreshOutbox outbox, long nowMilliseconds, long step)
    {
        _refreshes.Clear();
        AddRemovals(step);
        AddWaiting(_urgent, _options.MaxTouched, step);
        AddWaiting(_touched, _options.MaxTouched - _refreshes.Count, step);
        int slice = Slice(nowMilliseconds);
        AddSlice(slice, step);
        Probe(slice, step);
        if (_refreshes.Count > 0)
        {
            outbox.Post(CollectionsMarshal.AsSpan(_refreshes));
        }

        return _refreshes.Count;
    }

    private void AddRemovals(long step)
    {
        foreach (RemovedItem item in _items.Removed)
        {
            // The item may have been admitted again since.
            if (_items.Find(item.Key) < 0)
            {
                _refreshes.Add(new Refresh(item.Key, item.Id, null, step, 0, 0));
            }
        }

        _items.Removed.Clear();
    }

    private void AddWaiting(RowQueue queue, int max, long step)
    {
        for (int taken = 0; taken < max && queue.TryDequeue(out int row); taken++)
        {
            Add(row, step);
        }

        Flush(step);
    }

    /// <summary>The number of rows for the cursor to pass over now.</summary>
    private int Slice(long now)
    {
        long elapsed = _lastTime == 0 ? 0 : Math.Max(now - _lastTime, 0);
        _lastTime = now;
        int span = Math.Max(_items.HighWater - _items.FallbackRows, 0);
        _owed = Math.Min(span, _owed + (span * (elapsed / _options.RefreshInterval.TotalMilliseconds)));
        int slice = (int)_owed;
        _owed -= slice;
        int extra = Math.Min(_all, _options.MaxTouched);
        _all -= extra;
        return Math.Min(span, slice + extra);
    }

    private void AddSlice(int slice, long step)
    {
        for (int i = 0; i < slice; i++)
        {
            _cursor = Next(_cursor);
            Add(_cursor, step);
        }

        Flush(step);
    }

    private void Probe(int slice, long step)
    {
        int start = _refreshes.Count;
        int look = Math.Min(slice * ProbeSpeed, Math.Max(_items.HighWater - _items.FallbackRows, 0));
        for (int i = 0; i < look; i++)
        {
            _probe = Next(_probe);
            if (_items.IsLive(_probe))
            {
                _rows[_count++] = _probe;
            }

            if (_count == ChunkRows || i == look - 1)
            {
                _count = KeepMoved();
                Flush(step);
            }
        }

        // Steers towards as many posts ahead of schedule as on schedule; below a millionth nothing has moved.
        int posted = _refreshes.Count - start;
        _probeLimit = slice == 0 ? _probeLimit : Math.Max(_probeLimit * (posted > slice ? 1.25 : 0.8), 1e-6);
    }

    /// <summary>Of the rows in the chunk, keeps those that have moved more than the limit since they were posted.</summary>
    private int KeepMoved()
    {
        if (_count == 0)
        {
            return 0;
        }

        _engine.EncodeItems(_rows.AsSpan(0, _count), _vectors.AsSpan(0, _count * _dimension));
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            Sketch(_vectors.AsSpan(i * _dimension, _dimension), _sketch);
            float moved = TensorPrimitives.Distance<float>(_sketch, _sketches.AsSpan(_rows[i] * SketchSize, SketchSize));
            if (moved * moved > _probeLimit * TensorPrimitives.SumOfSquares<float>(_sketch))
            {
                _rows[kept++] = _rows[i];
            }
        }

        return kept;
    }

    private int Next(int row) => row + 1 < _items.HighWater && row >= _items.FallbackRows ? row + 1 : _items.FallbackRows;

    private void Add(int row, long step)
    {
        if (!_items.IsLive(row))
        {
            return;
        }

        _rows[_count++] = row;
        if (_count == ChunkRows)
        {
            Flush(step);
        }
    }

    private void Flush(long step)
    {
        if (_count == 0)
        {
            return;
        }

        _engine.EncodeItems(_rows.AsSpan(0, _count), _vectors.AsSpan(0, _count * _dimension));
        for (int i = 0; i < _count; i++)
        {
            int row = _rows[i];
            ReadOnlySpan<float> vector = _vectors.AsSpan(i * _dimension, _dimension);
            _refreshes.Add(
                new Refresh(_items.KeyOf(row), _items.IdOf(row), vector.ToArray(), step, _items.NewestEvent(row), _producedTimes[row])
                {
                    Related = _related?.Of(row),
                    Facts = _items.FactsOf(row),
                }
            );
            _producedTimes[row] = 0;
            Sketch(vector, _sketches.AsSpan(row * SketchSize, SketchSize));
        }

        _count = 0;
    }

    private void Sketch(ReadOnlySpan<float> vector, Span<float> sketch)
    {
        for (int i = 0; i < SketchSize; i++)
        {
            sketch[i] = TensorPrimitives.Dot(vector, _signs.AsSpan(i * _dimension, _dimension));
        }
    }
}
