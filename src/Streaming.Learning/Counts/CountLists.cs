using Streaming.Models.State;

namespace Streaming.Learning.Counts;

/// <summary>
/// For each row a bounded list of keys with weights: the keys counted most often with it. A list of 8 grows to 32, 128 and 512
/// entries while the pool has room; in a full list a newcomer replaces the lightest entry and inherits its weight as the
/// newcomer's error (Space-Saving; Metwally, Agrawal, El Abbadi 2005).
/// </summary>
/// <remarks>
/// The true weight of a key is thus between <see cref="Weights"/> − <see cref="Errors"/> and <see cref="Weights"/>, and the
/// error is at most the lightest weight of the list, which is at most the list's total over its length; a key whose true
/// weight exceeds that is in the list. A list that is not full is exact. Scores use the lower bound: cosine divides by the root
/// of an item's own count, so rare newcomers with inherited weight would rise to the top.
/// </remarks>
internal sealed class CountLists
{
    private const int UsedShift = 32,
        SizeShift = 48;
    private readonly SlotPool _pool;
    private readonly PagedArray<long> _places;
    private readonly string _name;

    /// <summary>Creates empty lists.</summary>
    /// <param name="name">Name of the tensors in a checkpoint.</param>
    /// <param name="rows">Number of lists.</param>
    /// <param name="pool">Memory for the entries.</param>
    public CountLists(string name, int rows, SlotPool pool)
    {
        _name = name;
        _pool = pool;
        _places = new PagedArray<long>(rows);
    }

    /// <summary>Gets the total weight added.</summary>
    public double Added { get; private set; }

    /// <summary>Gets the weight lost: with replaced entries, or because the pool had no room for a first block.</summary>
    public double Lost { get; private set; }

    /// <summary>The keys of a row's list, unordered.</summary>
    public ReadOnlySpan<ulong> Keys(int row) => Place.Of(_places[row]) is { Used: > 0 } place ? _pool.Keys(place.Block, place.Used) : [];

    /// <summary>The weights of <see cref="Keys"/>: upper bounds of the true ones.</summary>
    public ReadOnlySpan<float> Weights(int row) =>
        Place.Of(_places[row]) is { Used: > 0 } place ? _pool.Weights(place.Block, place.Used) : [];

    /// <summary>The maximum excess of <see cref="Weights"/> over the true ones.</summary>
    public ReadOnlySpan<float> Errors(int row) =>
        Place.Of(_places[row]) is { Used: > 0 } place ? _pool.Errors(place.Block, place.Used) : [];

    /// <summary>Loads what <see cref="Add"/> reads of a row's list.</summary>
    public void Expect(int row)
    {
        var place = Place.Of(_places[row]);
        if (place.Used > 0)
        {
            _pool.Expect(place.Block, place.Used);
        }
    }

    /// <summary>Adds to the weight of a key in a row's list.</summary>
    public void Add(int row, ulong key, float weight)
    {
        Added += weight;
        var place = Place.Of(_places[row]);
        int at = place.Used == 0 ? -1 : _pool.Find(place.Block, place.Used, key);
        if (at >= 0)
        {
            _pool.Add(place.Block + at, weight);
            return;
        }

        if (place.Used == place.Slots && !Grow(ref place))
        {
            Replace(place, key, weight);
            return;
        }

        _pool.Set(place.Block + place.Used, key, weight, error: 0);
        _places.Change(row) = (place with { Used = place.Used + 1 }).Pack();
    }

    /// <summary>Empties a row's list.</summary>
    public void Clear(int row)
    {
        var place = Place.Of(_places[row]);
        if (place.Used > 0)
        {
            _pool.Free(place.Block, place.Size);
            _places.Change(row) = 0;
        }
    }

    /// <summary>Records that all weights were multiplied.</summary>
    public void Scale(float factor)
    {
        Added *= factor;
        Lost *= factor;
    }

    public void Save(TensorSet tensors, int rows)
    {
        tensors.Share($"{_name}.places", _places, rows);
        tensors.Add<double>($"{_name}.weights", [Added, Lost]);
    }

    /// <exception cref="StateMismatchException">The state does not belong to lists in this pool.</exception>
    public void Load(TensorReader tensors)
    {
        _places.Data.Clear();
        long[] places = tensors.ReadArray<long>($"{_name}.places", _places.Length);
        for (int row = 0; row < places.Length; row++)
        {
            _places.Data[row] = Checked(places[row]);
        }

        Span<double> weights = stackalloc double[2];
        tensors.Read($"{_name}.weights", weights);
        (Added, Lost) = (weights[0], weights[1]);
    }

    /// <summary>Copies the lists of other rows.</summary>
    /// <param name="other">The lists.</param>
    /// <param name="oldRows">The other row for each row; −1: none.</param>
    public void Adopt(CountLists other, int[] oldRows)
    {
        for (int row = 0; row < oldRows.Length; row++)
        {
            int old = oldRows[row];
            ReadOnlySpan<ulong> keys = old >= 0 && old < other._places.Length ? other.Keys(old) : [];
            for (int i = 0; i < keys.Length; i++)
            {
                Add(row, keys[i], other.Weights(old)[i] - other.Errors(old)[i]);
            }
        }
    }

    private long Checked(long word)
    {
        var place = Place.Of(word);
        return
            word == 0
            || (place.Size < SlotPool.Sizes && place.Used >= 1 && place.Used <= place.Slots && _pool.IsBlock(place.Block, place.Size))
            ? word
            : throw new StateMismatchException($"Tensor {_name}.places has {word:x}, which is not the position of a list in the pool.");
    }

    private bool Grow(ref Place place)
    {
        int size = place.Used == 0 ? 0 : place.Size + 1;
        int block = size < SlotPool.Sizes ? _pool.Allocate(size) : -1;
        if (block < 0)
        {
            return false;
        }

        for (int i = 0; i < place.Used; i++)
        {
            _pool.Set(
                block + i,
                _pool.Keys(place.Block, place.Used)[i],
                _pool.Weights(place.Block, place.Used)[i],
                _pool.Errors(place.Block, place.Used)[i]
            );
        }

        if (place.Used > 0)
        {
            _pool.Free(place.Block, place.Size);
        }

        place = new Place(block, place.Used, size);
        return true;
    }

    private void Replace(Place place, ulong key, float weight)
    {
        if (place.Used == 0)
        {
            Lost += weight;
            return;
        }

        int lightest = _pool.Lightest(place.Block, place.Size);
        float least = _pool.Weights(place.Block, place.Used)[lightest];
        Lost += least - _pool.Errors(place.Block, place.Used)[lightest];
        _pool.Set(place.Block + lightest, key, least + weight, least);
    }

    /// <summary>The location of a list, in one word; 0: no list.</summary>
    private readonly record struct Place(int Block, int Used, int Size)
    {
        public int Slots => Used == 0 ? 0 : SlotPool.SlotsOf(Size);

        public static Place Of(long word) => new((int)word, (int)((word >> UsedShift) & 0xFFFF), (int)((word >> SizeShift) & 0xFFFF));

        public long Pack() => ((long)Size << SizeShift) | ((long)Used << UsedShift) | (uint)Block;
    }
}
