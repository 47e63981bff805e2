using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// How many rows of the catalogue are due for which reason. Every row has its turn once per refresh interval, and is probed three times
/// as often. The store is compared with the model at the same pace, but with no more than a thousand items per second, unless their
/// values would expire. While nothing is learned there is nothing to look for: turn and probe rest once each has passed over every row,
/// and so has found what the last step moved.
/// </summary>
/// <param name="items">The item table.</param>
/// <param name="interval">The refresh interval.</param>
internal sealed class RefreshPace(ItemTable items, TimeSpan interval)
{
    private const int ProbeSpeed = 3;
    private const double ConfirmedPerSecond = 1000;
    private readonly RefreshWalk _turn = new(items);
    private readonly RefreshWalk _probe = new(items);
    private readonly RefreshWalk _confirm = new(items);
    private long _lastTime;
    private long _passBegan;
    private long _step = -1;
    private int _passedSinceStep;
    private int _probedSinceStep;
    private long _lastPass;

    /// <summary>Gets the time of the last pass or, if that is longer, of the one in progress: above the refresh interval, the catalogue
    /// is not refreshed as often as asked for. Zero while turn and probe rest.</summary>
    public TimeSpan Pass { get; private set; }

    /// <summary>Rows due for a reason.</summary>
    public int Due(RefreshReason reason) => WalkOf(reason).Due;

    /// <summary>Lets time pass.</summary>
    /// <param name="now">A monotonic time in milliseconds.</param>
    /// <param name="step">Steps so far.</param>
    /// <param name="confirmWithin">When values in the store expire at the earliest.</param>
    public void Advance(long now, long step, TimeSpan confirmWithin)
    {
        double elapsed = _lastTime == 0 ? 0 : Math.Max(now - _lastTime, 0);
        _passBegan = _lastTime == 0 || now < _lastTime ? now : _passBegan;
        _lastTime = now;
        double confirm = Math.Max(interval.TotalMilliseconds, 1000 * _confirm.Span / ConfirmedPerSecond);
        _confirm.Owe(elapsed / Math.Min(confirm, Math.Max(confirmWithin.TotalMilliseconds, interval.TotalMilliseconds)));
        if (_step != step)
        {
            (_step, _passedSinceStep, _probedSinceStep) = (step, 0, 0);
        }

        _turn.Owe(elapsed / interval.TotalMilliseconds);
        _probe.Owe(ProbeSpeed * elapsed / interval.TotalMilliseconds);
        if (_probedSinceStep >= _probe.Span)
        {
            _probe.Rest();
        }

        if (_passedSinceStep >= _turn.Span)
        {
            _turn.Rest();
            (_passBegan, Pass) = (now, TimeSpan.Zero);
            return;
        }

        Pass = TimeSpan.FromMilliseconds(Math.Max(_lastPass, now - _passBegan));
    }

    /// <summary>Owes every row its turn at once.</summary>
    public void OweAll()
    {
        _passedSinceStep = 0;
        _turn.Owe(1);
    }

    /// <summary>The next row that is due for a reason.</summary>
    /// <param name="reason">The reason.</param>
    public int Next(RefreshReason reason)
    {
        int row = WalkOf(reason).Next(out bool isPass);
        _passedSinceStep += reason == RefreshReason.Turn ? 1 : 0;
        _probedSinceStep += reason == RefreshReason.Probe ? 1 : 0;
        if (reason == RefreshReason.Turn && isPass)
        {
            _lastPass = _lastTime - _passBegan;
            _passBegan = _lastTime;
        }

        return row;
    }

    private RefreshWalk WalkOf(RefreshReason reason) =>
        reason switch
        {
            RefreshReason.Turn => _turn,
            RefreshReason.Probe => _probe,
            _ => _confirm,
        };
}
