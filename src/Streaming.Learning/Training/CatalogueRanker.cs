using Streaming.Core.Embeddings;
using Streaming.Core.Ingestion;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Search;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Models.Batches;

namespace Streaming.Learning.Training;

/// <summary>
/// Ranks the items of a batch's examples among the whole catalogue at every width, with the current model. The catalogue is
/// processed in tiles, so memory does not grow with it.
/// </summary>
internal sealed class CatalogueRanker
{
    private const int TileRows = 4096;

    /// <summary>Length of the top lists: a serving tier asks its index for a few hundred items.</summary>
    private const int TopLength = CountFusion.VectorItems;
    private readonly TimeProvider _time;
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly NestedRanking _ranking;
    private readonly InterestRanking? _interests;
    private readonly int _userSize;
    private readonly int _dimension;
    private readonly int _widths;
    private readonly float[] _users;
    private readonly float[] _tile;
    private readonly float[] _targetVectors;
    private readonly ulong[] _tileKeys = new ulong[TileRows];
    private readonly int[] _tileRows = new int[TileRows];
    private readonly int[] _places;
    private readonly SharedRanking _shared;
    private readonly byte[] _present;
    private readonly int[] _examples;
    private readonly int[] _targets;
    private readonly int[] _targetRows;
    private readonly int[] _own;
    private readonly int[] _historyRows;
    private readonly int[] _historyOffsets;
    private readonly int[] _encodedRows;
    private readonly int[] _readRows;
    private readonly int[] _readOffsets;
    private readonly int[] _excluded;
    private readonly int[] _excludedOffsets;
    private readonly int[] _tileAbove;
    private readonly int[] _tileTies;
    private readonly TiedRank[] _ranks;
    private readonly TopItems[] _top;
    private readonly TopScores? _topScores;
    private readonly int[] _place;
    private int _count;

    /// <summary>Allocates for batches of a size.</summary>
    /// <param name="engine">The model.</param>
    /// <param name="items">The catalogue.</param>
    /// <param name="capacity">Maximum examples per batch.</param>
    /// <param name="historyLength">Maximum items of an example's history.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    /// <param name="keepTop">Whether to keep the best items of each example too.</param>
    /// <param name="time">Measures <see cref="Encoding"/>; by default the system's.</param>
    public CatalogueRanker(
        TrainingEngine engine,
        ItemTable items,
        int capacity,
        int historyLength,
        Workers? workers,
        bool keepTop = false,
        TimeProvider? time = null
    )
    {
        _time = time ?? TimeProvider.System;
        _engine = engine;
        _items = items;
        _dimension = engine.Model.Dimension;
        _widths = engine.Model.Widths.Count;
        _ranking = new NestedRanking([.. engine.Model.Widths], workers);
        int vectors = engine.Model.VectorsPerUser;
        _interests = vectors > 1 ? new InterestRanking(engine.Model.Widths, vectors, workers) : null;
        _userSize = vectors * _dimension;
        Capacity = capacity;
        _users = new float[capacity * _userSize];
        _tile = new float[(TileRows + capacity) * _dimension];
        _targetVectors = new float[capacity * _dimension];
        _present = new byte[TileRows + capacity];
        _examples = new int[capacity];
        _targets = new int[capacity];
        _targetRows = new int[capacity];
        _own = new int[capacity];
        _encodedRows = new int[capacity];
        _historyRows = new int[capacity * historyLength];
        _historyOffsets = new int[capacity + 1];
        _readRows = new int[capacity * engine.Model.HistoryLength];
        _readOffsets = new int[capacity + 1];
        _excluded = new int[capacity * (historyLength + 1)];
        _excludedOffsets = new int[capacity + 1];
        _tileAbove = new int[capacity * _widths];
        _tileTies = new int[capacity * _widths];
        _ranks = new TiedRank[capacity * _widths];
        _place = new int[capacity];
        _places = new int[TileRows * engine.Ranks.Size];
        _shared = new SharedRanking(engine, _userSize);
        _top = keepTop ? [.. Enumerable.Range(0, capacity * _widths).Select(_ => new TopItems(TopLength, _tileKeys))] : [];
        _topScores = keepTop && vectors > 1 ? new TopScores(engine.Model, workers) : null;
    }

    /// <summary>Gets the maximum batch size.</summary>
    public int Capacity { get; }

    /// <summary>Gets the time that the last <see cref="Rank"/> took to encode the catalogue and the users.</summary>
    public TimeSpan Encoding { get; private set; }

    /// <summary>The ranks of an example at all widths, after <see cref="Rank"/>.</summary>
    public ReadOnlySpan<TiedRank> Ranks(int example) => _ranks.AsSpan(example * _widths, _widths);

    /// <summary>The best items of an example at all widths, after <see cref="Rank"/>, if they are kept. They exclude the history when
    /// the example's item is new to the user.</summary>
    public ReadOnlySpan<TopItems> Top(int example) => _top.AsSpan(_place[example] * _widths, _widths);

    /// <summary>
    /// Ranks examples of a batch. An item without a row is <see cref="TiedRank.Missing"/>. Items of the history do not compete
    /// with an item that is new to the user.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="chosen">Which of its examples, increasing; the ranks of others are undefined.</param>
    public void Rank(Batch batch, IReadOnlyList<int> chosen)
    {
        _ranks.AsSpan(0, batch.Count * _widths).Fill(TiedRank.Missing);
        Encoding = TimeSpan.Zero;
        Collect(batch, chosen);
        if (_count == 0)
        {
            return;
        }

        var sequences = new JaggedRows { Rows = _readRows.AsSpan(0, _readOffsets[_count]), Offsets = _readOffsets.AsSpan(0, _count + 1) };
        long begun = _time.GetTimestamp();
        _shared.EncodeUsers(sequences, _users.AsSpan(0, _count * _userSize));
        EncodeTargets();
        Encoding += _time.GetElapsedTime(begun);
        for (int i = 0; i < _count; i++)
        {
            if (_targetRows[i] >= 0)
            {
                Ranks(_examples[i], default);
            }
        }

        for (int start = 0; start < _items.Count; start += _places.Length)
        {
            RankTile(batch, start, Math.Min(_places.Length, _items.Count - start));
        }

        _shared.Sum(_ranks.AsSpan(0, batch.Count * _widths));
        _shared.Merge(_top.AsSpan(0, Math.Min(_top.Length, _count * _widths)), TopLength);
    }

    /// <summary>
    /// Selects the examples with a known item, or all when the best items are kept: an item may become known within the batch. Finds
    /// the rows of their histories, and of the newest part that the model reads.
    /// </summary>
    private void Collect(Batch batch, IReadOnlyList<int> chosen)
    {
        _count = 0;
        int end = 0;
        int read = 0;
        foreach (int example in chosen)
        {
            int row = _items.Find(batch.ItemKeys[example]);
            if (row < 0 && _top.Length == 0)
            {
                continue;
            }

            _place[example] = _count;
            _examples[_count] = example;
            _targetRows[_count] = row;
            _readOffsets[_count] = read;
            _historyOffsets[_count++] = end;
            int start = end;
            foreach (ulong key in batch.History(example))
            {
                _historyRows[end++] = _items.RowOf(key);
            }

            ReadOnlySpan<int> newest = _historyRows.AsSpan(Math.Max(start, end - _engine.Model.HistoryLength)..end);
            newest.CopyTo(_readRows.AsSpan(read));
            read += newest.Length;
        }

        _historyOffsets[_count] = end;
        _readOffsets[_count] = read;
        foreach (TopItems top in _top)
        {
            top.Clear();
        }
    }

    private void RankTile(Batch batch, int start, int positions)
    {
        // The tile's items, followed by the targets, which are ranked but do not compete.
        long begun = _time.GetTimestamp();
        int count = TakeStored(start, positions);
        _engine.EncodeStored(_tileRows.AsSpan(0, count), _tile.AsSpan(0, count * _dimension));
        _targetVectors.AsSpan(0, _count * _dimension).CopyTo(_tile.AsSpan(count * _dimension));
        Encoding += _time.GetElapsedTime(begun);
        _present.AsSpan(0, count).Fill(1);
        _present.AsSpan(count, _count).Clear();
        int end = 0;
        for (int i = 0; i < _count; i++)
        {
            _targets[i] = count + i;
            _excludedOffsets[i] = end;
            _own[i] = PlaceOf(_targetRows[i], start, positions);
            if (!batch.IsRepeat[_examples[i]])
            {
                foreach (int row in _historyRows.AsSpan(_historyOffsets[i].._historyOffsets[i + 1]))
                {
                    end = Exclude(row, start, positions, end);
                }
            }
        }

        for (int i = 0; i < count && _top.Length > 0; i++)
        {
            _tileKeys[i] = _items.KeyOf(_tileRows[i]);
        }

        _excludedOffsets[_count] = end;
        Run(
            new NestedRankingProblem
            {
                Own = _own.AsSpan(0, _count),
                Best = _top.AsSpan(0, _interests is null ? Math.Min(_top.Length, _count * _widths) : 0),
                Users = _users.AsSpan(0, _count * _userSize),
                Catalogue = _tile.AsSpan(0, (count + _count) * _dimension),
                Present = _present.AsSpan(0, count + _count),
                Targets = _targets.AsSpan(0, _count),
                Excluded = _excluded.AsSpan(0, end),
                ExcludedOffsets = _excludedOffsets.AsSpan(0, _count + 1),
                Cosine = _engine.Model.Cosine,
                Above = _tileAbove.AsSpan(0, _count * _widths),
                Ties = _tileTies.AsSpan(0, _count * _widths),
            }
        );
        Add();
        KeepTop(count);
    }

    /// <summary>The rows of a part of the catalogue that this rank stores.</summary>
    private int TakeStored(int start, int positions)
    {
        int count = 0;
        for (int i = 0; i < positions; i++)
        {
            int row = _items.Rows[start + i];
            bool isStored = _engine.Stores(row);
            _places[i] = isStored ? count : -1;
            if (isStored)
            {
                _tileRows[count++] = row;
            }
        }

        return count;
    }

    /// <summary>Encodes the targets. An unknown item gets the vector of another: its rank stays missing.</summary>
    private void EncodeTargets()
    {
        for (int i = 0; i < _count && _items.Count > 0; i++)
        {
            _encodedRows[i] = _targetRows[i] >= 0 ? _targetRows[i] : _items.Rows[0];
        }

        _engine.EncodeItems(_encodedRows.AsSpan(0, _count), _targetVectors.AsSpan(0, _count * _dimension));
    }

    /// <summary>Offers the tile's items to the top lists of users with several vectors.</summary>
    private void KeepTop(int count)
    {
        if (_topScores is null)
        {
            return;
        }

        ReadOnlySpan<float> users = _users.AsSpan(0, _count * _userSize);
        for (int k = 0; k < _widths; k++)
        {
            _topScores.Add(k, users, _tile.AsSpan(0, count * _dimension));
            for (int i = 0; i < _count; i++)
            {
                _topScores.Offer(
                    i,
                    users.Slice(i * _userSize, _userSize),
                    _engine.Model.Widths[k],
                    _excluded.AsSpan(_excludedOffsets[i].._excludedOffsets[i + 1]),
                    _tileRows.AsSpan(0, count),
                    _items,
                    _top[(i * _widths) + k]
                );
            }
        }
    }

    private void Run(in NestedRankingProblem problem)
    {
        if (_interests is null)
        {
            _ranking.Run(problem);
        }
        else
        {
            _interests.Run(problem);
        }
    }

    private int Exclude(int row, int start, int positions, int end)
    {
        int place = PlaceOf(row, start, positions);
        if (place >= 0)
        {
            _excluded[end++] = place;
        }

        return end;
    }

    /// <summary>The place of a row in the tile, or −1. A fallback row belongs to no item and has none.</summary>
    private int PlaceOf(int row, int start, int positions)
    {
        int position = row >= 0 && _items.IsLive(row) ? _items.PositionOf(row) - start : -1;
        return position >= 0 && position < positions ? _places[position] : -1;
    }

    private void Add()
    {
        for (int i = 0; i < _count; i++)
        {
            Span<TiedRank> ranks = _ranks.AsSpan(_examples[i] * _widths, _widths);
            for (int k = 0; k < _widths; k++)
            {
                // Overflow: the score is not finite, and the item is not ranked.
                long above = (long)ranks[k].Above + _tileAbove[(i * _widths) + k];
                ranks[k] =
                    above >= int.MaxValue ? TiedRank.Missing : new TiedRank((int)above, ranks[k].Ties + _tileTies[(i * _widths) + k]);
            }
        }
    }

    private void Ranks(int example, TiedRank value) => _ranks.AsSpan(example * _widths, _widths).Fill(value);
}
