using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Models.Towers;

namespace Streaming.Models.Slices;

/// <summary>
/// The user tower alone, at any nested width, from item vectors instead of item rows: the serving tier's encoder. For towers
/// with a recurrent state, an event costs one step instead of a pass over the whole history.
/// </summary>
/// <remarks>Has scratch memory: one thread at a time may use an instance. Instances share only the source they were read from.</remarks>
public sealed class UserEncoder
{
    private readonly ParameterSet _parameters = new();
    private readonly UserTower _tower;
    private readonly RowSlots _slots = new();
    private readonly StepPlan _plan = new();
    private readonly float[] _start;
    private AlignedFloats _scratch = AlignedFloats.Empty;
    private int[] _rows = [];

    /// <summary>Reads the tower's parameters, sliced to a width.</summary>
    /// <param name="model">Options of the source's model, or of its slice at <paramref name="width"/>.</param>
    /// <param name="width">One of the model's widths.</param>
    /// <param name="source">A checkpoint, a snapshot, or a slice.</param>
    /// <exception cref="ArgumentException">The width is not one of the model's.</exception>
    /// <exception cref="StateMismatchException">A tensor is missing or of another shape.</exception>
    public UserEncoder(ModelOptions model, int width, TensorSource source)
    {
        Model = ModelSlicer.At(model, width);
        _tower = UserTower.Create(_parameters, Model, new Increments(Model.Widths));
        ModelSlicer.Read(source, _parameters);
        _tower.Prepare();
        _start = new float[Model.Dimension];
        _tower.Start.CopyTo(_start);
    }

    /// <summary>Gets the options of the model at this width.</summary>
    public ModelOptions Model { get; }

    /// <summary>Gets the length of a user's vectors: interests × width; interests is 1 except for the mind tower.</summary>
    public int VectorLength => _tower.VectorsPerUser * Model.Dimension;

    /// <summary>Gets the length of a user's recurrent state; 0: the tower has none (mind), use <see cref="Encode"/>.</summary>
    public int StateLength => _tower.StateLength;

    /// <summary>Encodes a history.</summary>
    /// <param name="items">[n × width] vectors of the items, oldest first; 0 … HistoryLength of them.</param>
    /// <param name="vectors">Out: [<see cref="VectorLength"/>].</param>
    public void Encode(ReadOnlySpan<float> items, Span<float> vectors)
    {
        int count = items.Length / Model.Dimension;
        ArgumentOutOfRangeException.ThrowIfNotEqual(items.Length, count * Model.Dimension, nameof(items));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Model.HistoryLength, nameof(items));
        ArgumentOutOfRangeException.ThrowIfNotEqual(vectors.Length, VectorLength, nameof(vectors));
        Buffers.Grow(ref _rows, count);
        for (int i = 0; i < count; i++)
        {
            _rows[i] = i;
        }

        _slots.Clear();
        _plan.Plan(new JaggedRows { Rows = _rows.AsSpan(0, count), Offsets = [0, count] }, [], _slots, _tower.ChunkSteps);
        _tower.Reserve(_plan);
        _tower.Forward(_plan, _plan.ChunkAt(0), items, step: -1);
        _tower.Outputs(_plan).CopyTo(vectors);
    }

    /// <summary>State and vector of a user without history.</summary>
    /// <param name="state">Out: [<see cref="StateLength"/>].</param>
    /// <param name="vector">Out: [<see cref="VectorLength"/>].</param>
    public void Begin(Span<float> state, Span<float> vector)
    {
        state.Clear();
        Advance(_start, state, vector);
    }

    /// <summary>
    /// Advances by one event: O(width²). Equals <see cref="Encode"/> of the whole history to 1e-5, as long as the history is not
    /// truncated at its length limit.
    /// </summary>
    /// <param name="item">[width] vector of the item.</param>
    /// <param name="state">In and out: [<see cref="StateLength"/>].</param>
    /// <param name="vector">Out: [<see cref="VectorLength"/>].</param>
    /// <exception cref="NotSupportedException">The tower has no recurrent state.</exception>
    public void Advance(ReadOnlySpan<float> item, Span<float> state, Span<float> vector)
    {
        if (StateLength == 0)
        {
            throw new NotSupportedException($"The tower {Model.Tower} has no recurrent form; encode the whole history.");
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(item.Length, Model.Dimension, nameof(item));
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Length, StateLength, nameof(state));
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, VectorLength, nameof(vector));
        Buffers.Grow(ref _scratch, 16, Model.Dimension);
        _tower.Advance(item, state, vector, _scratch.Span);
    }
}
