using Streaming.Learning.Engine;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Bank;

/// <summary>
/// Decides how many bank entries a step uses: none during warm-up, then those whose age the measured staleness allows. The
/// used part grows as training settles and shrinks when the embeddings move.
/// </summary>
/// <remarks>Warm-up: Wang, Zhu, He, SIGIR 2021, section 3.3: entries from before the fast early drift would mislead.</remarks>
internal sealed class BankPolicy
{
    /// <summary>A single calm round can be chance: a lull in the stream.</summary>
    private const int CalmRounds = 2;
    private readonly TrainingEngine _engine;
    private readonly BankOptions _options;
    private readonly DriftProbe _probe;
    private readonly BankStaleness _staleness;
    private readonly long _earliest;
    private int _calm;
    private int _limit = int.MaxValue;

    /// <summary>Creates a policy in warm-up.</summary>
    /// <param name="engine">The engine with the bank.</param>
    /// <param name="items">Items to probe.</param>
    /// <param name="options">Settings.</param>
    /// <param name="learningRateWarmup">Steps with small learning rates, during which a small drift is not conclusive.</param>
    public BankPolicy(TrainingEngine engine, ItemTable items, BankOptions options, long learningRateWarmup)
    {
        options.Validate();
        _engine = engine;
        _options = options;
        _probe = new DriftProbe(engine, items, options.Probes);
        _staleness = new BankStaleness(engine);
        _earliest = options.WarmupSteps >= 0 ? options.WarmupSteps : learningRateWarmup;
        HasBank = engine.Model.Loss.UsesBank() && engine.Model.BankCapacity > 0;
    }

    /// <summary>Gets whether the loss uses a bank.</summary>
    public bool HasBank { get; }

    /// <summary>Gets whether warm-up is over.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Gets how many of the newest entries the next step uses.</summary>
    public int Entries => IsOn ? Math.Min(_limit, _engine.BankCount) : 0;

    /// <summary>Gets the drift over 1, 5 and 10 steps; NaN until measured.</summary>
    public ReadOnlySpan<double> Drift => _probe.Drift;

    /// <summary>Gets the staleness by age, newest first; NaN until measured.</summary>
    public ReadOnlySpan<double> Staleness => _staleness.Values;

    /// <summary>Call before the first step of a run: at step 0 a warm-up of 0 steps is over.</summary>
    public void Start(long step) => IsOn |= HasBank && _options.WarmupSteps >= 0 && step >= _earliest;

    /// <summary>Takes the measurements that are due and decides for the next step.</summary>
    /// <param name="step">Number of steps done.</param>
    public void AfterStep(long step)
    {
        bool roundEnded = _probe.AfterStep();
        if (HasBank)
        {
            Warm(step, roundEnded);
        }

        if (step % _options.MeasureEvery != 0)
        {
            return;
        }

        _probe.Begin();
        if (HasBank)
        {
            _staleness.Measure();
            _limit = _staleness.EntriesBelow(_options.MaxStaleness);
        }
    }

    public void Save(TensorSet tensors)
    {
        tensors.Add<int>("bank.policy", [IsOn ? 1 : 0, _calm, _limit]);
        tensors.Add<double>("bank.staleness", _staleness.Values);
        _probe.Save(tensors);
    }

    public void Load(TensorReader tensors)
    {
        int[] values = new int[3];
        tensors.Read<int>("bank.policy", values);
        (IsOn, _calm, _limit) = (values[0] != 0, values[1], Math.Max(values[2], 0));
        tensors.Read("bank.staleness", _staleness.Values);
        _probe.Load(tensors);
    }

    /// <summary>Continues from another policy of the same bank; its measurements are repeated.</summary>
    public void Adopt(TensorReader tensors)
    {
        int[] values = new int[3];
        tensors.Read<int>("bank.policy", values);
        (IsOn, _limit) = (HasBank && values[0] != 0, Math.Max(values[2], 0));
    }

    private void Warm(long step, bool roundEnded)
    {
        if (_options.WarmupSteps < 0 && roundEnded)
        {
            _calm = Drift[^1] <= _options.WarmupDrift ? _calm + 1 : 0;
        }

        bool calm = _options.WarmupSteps >= 0 || _calm >= CalmRounds;
        IsOn |= step >= _earliest && calm;
    }
}
