using System.Numerics;

namespace Streaming.Kernels.Softmax;

/// <summary>
/// Finds which candidates are the positive item of which rows (accidental hits) without a B × N matrix: the distinct positive
/// items are numbered, and each row and candidate stores its item's number.
/// </summary>
internal sealed class HitIndex
{
    /// <summary>Number of a candidate that is no row's positive.</summary>
    public const int None = -1;

    private readonly int[] _slots;
    private readonly int[] _slotIds;
    private readonly int[] _rowClass;
    private readonly int[] _candidateClass;
    private readonly int[] _classCounts;
    private readonly int _shift;
    private int _candidates;

    public HitIndex(int maxRows, int maxCandidates)
    {
        int bits = Math.Max(2, BitOperations.Log2((uint)maxRows) + 2);
        _shift = 32 - bits;
        _slots = new int[1 << bits];
        _slotIds = new int[1 << bits];
        _rowClass = new int[maxRows];
        _candidateClass = new int[maxCandidates];
        _classCounts = new int[maxRows];
    }

    public long Bytes =>
        sizeof(int) * ((long)_slots.Length + _slotIds.Length + _rowClass.Length + _candidateClass.Length + _classCounts.Length);

    /// <summary>Gets whether any pair may need masking.</summary>
    public bool HasAny { get; private set; }

    /// <summary>Item number of each row's positive.</summary>
    public ReadOnlySpan<int> RowClasses => _rowClass;

    /// <summary>Item number of each candidate, or <see cref="None"/>.</summary>
    public ReadOnlySpan<int> CandidateClasses => _candidateClass.AsSpan(0, _candidates);

    /// <summary>Numbers the positives of a problem and looks up all candidates.</summary>
    /// <remarks>Without ids each candidate is a distinct item; that matters only where the row's own positive is masked too.</remarks>
    public void Build(in NestedSoftmaxProblem problem, int candidates)
    {
        _candidates = candidates;
        HasAny = !problem.CandidateIds.IsEmpty || problem.Correction == LogQCorrection.Corrected;
        if (!HasAny)
        {
            return;
        }

        Array.Fill(_slots, None);
        Array.Clear(_classCounts);
        int classes = 0;
        for (int row = 0; row < problem.PositiveColumn.Length; row++)
        {
            int id = Id(in problem, problem.PositiveColumn[row]);
            int slot = Find(id);
            if (_slots[slot] == None)
            {
                _slots[slot] = classes++;
                _slotIds[slot] = id;
            }

            _rowClass[row] = _slots[slot];
        }

        for (int column = 0; column < candidates; column++)
        {
            int number = _slots[Find(Id(in problem, column))];
            _candidateClass[column] = number;
            if (number != None)
            {
                _classCounts[number]++;
            }
        }
    }

    /// <summary>Number of candidates that are a row's positive item, including its own column.</summary>
    public int Copies(int row) => _classCounts[_rowClass[row]];

    // A negative id is an item that is no longer known: it equals nothing but its own column.
    private static int Id(in NestedSoftmaxProblem problem, int column)
    {
        int id = problem.CandidateIds.IsEmpty ? column : problem.CandidateIds[column];
        return id >= 0 ? id : ~column;
    }

    private int Find(int id)
    {
        int mask = _slots.Length - 1;
        int slot = (int)((uint)id * 2654435769u >> _shift);
        while (_slots[slot] != None && _slotIds[slot] != id)
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }
}
