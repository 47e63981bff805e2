namespace Streaming.Learning.Evaluation;

/// <summary>Ranking metrics over the last W examples: a ring of ranks, summed when read.</summary>
/// <remarks>
/// Running sums would have to subtract what leaves and would drift over billions of events; reading costs O(W) instead and is
/// rare compared to events.
/// </remarks>
public sealed class RankingWindow
{
    private readonly (TiedRank Rank, Draw Draw)[] _ring;
    private readonly RankingMetrics _metrics;
    private long _added;
    private bool _isStale;

    /// <summary>Creates an empty window.</summary>
    /// <param name="cutoffs">Cutoffs K, increasing, each 1 … 10,000.</param>
    /// <param name="length">Examples in the window, W, 1 and up.</param>
    public RankingWindow(IReadOnlyList<int> cutoffs, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        _ring = new (TiedRank, Draw)[length];
        _metrics = new RankingMetrics(cutoffs);
    }

    /// <summary>Gets the number of examples in the window, at most W.</summary>
    public int Count => (int)Math.Min(_added, _ring.Length);

    /// <summary>Adds an example of examples that are all ranked.</summary>
    public void Add(TiedRank rank) => Add(rank, Draw.Every);

    /// <summary>Adds an example; drops the oldest when the window is full.</summary>
    /// <param name="rank">The target's rank.</param>
    /// <param name="draw">How the example was drawn.</param>
    public void Add(TiedRank rank, Draw draw)
    {
        _ring[_added % _ring.Length] = (rank, draw);
        _added++;
        _isStale = true;
    }

    /// <summary>The metrics of the current window. The object is reused by the next call.</summary>
    public RankingMetrics Read()
    {
        if (_isStale)
        {
            _metrics.Clear();
            // Oldest first: the examples of a batch must follow each other.
            int oldest = (int)(Count < _ring.Length ? 0 : _added % _ring.Length);
            for (int i = 0; i < Count; i++)
            {
                (TiedRank rank, Draw draw) = _ring[(oldest + i) % _ring.Length];
                _metrics.Add(rank, draw);
            }

            _isStale = false;
        }

        return _metrics;
    }

    /// <summary>Writes the state.</summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_added);
        foreach ((TiedRank rank, Draw draw) in _ring.AsSpan(0, Count))
        {
            writer.Write(rank.Above);
            writer.Write(rank.Ties);
            writer.Write(draw.Weight);
            writer.Write(draw.Batch);
        }
    }

    /// <summary>Reads the state written by a window of the same length.</summary>
    public void Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        Read(reader, static reader => new Draw(reader.ReadSingle(), reader.ReadInt32()));
    }

    /// <summary>Reads the state of a version in which every example was ranked.</summary>
    internal void ReadPlain(BinaryReader reader) => Read(reader, static _ => Draw.Every);

    private void Read(BinaryReader reader, Func<BinaryReader, Draw> readDraw)
    {
        _added = reader.ReadInt64();
        for (int i = 0; i < Count; i++)
        {
            _ring[i] = (new TiedRank(reader.ReadInt32(), reader.ReadInt32()), readDraw(reader));
        }

        _isStale = true;
    }
}
