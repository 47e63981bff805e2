using Confluent.Kafka;
using Streaming.Core;

namespace Streaming.Transport;

/// <content>How batches leave, and what is done while they cannot.</content>
public sealed partial class KafkaSource
{
    private bool _isPaused;
    private Batch? _outgoing;
    private Task<bool>? _room;

    private void EmitIfDue(CancellationToken abort)
    {
        if (_batcher.IsDue || _batcher.IsCheckpointRequested)
        {
            Emit(isLast: false, abort);
        }
    }

    // A batch's positions say that its dead letters are safe: they must have arrived before it leaves. When the broker is
    // away at the end, the batch is left out: its records are read again from the last checkpoint's positions.
    private bool Emit(bool isLast, CancellationToken abort)
    {
        bool areSafe = HoldUntil(
            static (self, wait) =>
            {
                if (!self._deadLetters.IsDelivered)
                {
                    self._deadLetters.Wait(wait);
                }

                return self._deadLetters.IsDelivered;
            },
            abort,
            _giveUp);
        if (areSafe)
        {
            _outgoing = _batcher.Seal(checkpoint: isLast);
            HoldUntil(static (self, wait) => self.TryHandOn(wait), abort, CancellationToken.None);
        }

        return areSafe;
    }

    private bool TryHandOn(TimeSpan wait)
    {
        if (_output.TryWrite(_outgoing!))
        {
            _outgoing = null;
            return true;
        }

        // One waiter, however long it takes.
        _room ??= _output.WaitToWriteAsync().AsTask();
        if (_room.Wait(wait))
        {
            bool isOpen = _room.Result;
            _room = null;
            return isOpen ? false : throw new OperationCanceledException("Nobody reads batches any more.");
        }

        return false;
    }

    /// <summary>Waits for something, without ever keeping the consumer from polling for long: partitions are paused, and polling goes on.</summary>
    /// <returns>False when it was given up.</returns>
    private bool HoldUntil(Func<KafkaSource, TimeSpan, bool> isReady, CancellationToken abort, CancellationToken giveUp)
    {
        if (isReady(this, TimeSpan.Zero))
        {
            return true;
        }

        long start = _time.GetTimestamp();
        while (!isReady(this, TimeSpan.FromMilliseconds(20)))
        {
            abort.ThrowIfCancellationRequested();
            if (giveUp.IsCancellationRequested)
            {
                return false;
            }

            if (_isPaused)
            {
                PollWhilePaused();
            }
            else if (_time.GetElapsedTime(start) >= PauseAfter)
            {
                SetPaused(true);
            }
        }

        SetPaused(false);
        return true;
    }

    private void PollWhilePaused()
    {
        ConsumeResult<RecordBuffer, RecordBuffer>? record = _events.Poll(TimeSpan.Zero);
        if (record is not null)
        {
            _events.GiveBack(record);
        }

        DoChores();
    }

    private void SetPaused(bool paused)
    {
        if (_isPaused == paused || _events is not { IsStarted: true })
        {
            return;
        }

        _isPaused = paused;
        if (paused)
        {
            KafkaSourceLog.Paused(_logger);
            _events.Pause();
        }
        else
        {
            KafkaSourceLog.Resumed(_logger);
            _events.Resume();
        }
    }
}
