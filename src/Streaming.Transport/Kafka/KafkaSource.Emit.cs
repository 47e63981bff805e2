using Confluent.Kafka;
using Streaming.Core.Ingestion;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka;

/// <content>Hands out batches, and keeps the consumer alive while they cannot leave.</content>
public sealed partial class KafkaSource
{
    /// <summary>Shorter waits block; longer ones pause the partitions so that polling continues.</summary>
    private static readonly TimeSpan PauseAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>Delay before asking the cluster again whether its topics are the same.</summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private bool _isPaused;
    private bool _isCutShort;
    private long _look;
    private long? _unanswered;
    private Batch? _outgoing;
    private Message<byte[]?, byte[]?>? _deadLetter;
    private Task<bool>? _room;
    private CancellationToken _abort;
    private CancellationToken _stopping;
    private int _awaitedSchema;

    private bool MayCheckpoint => _unanswered is not long since || _time.GetElapsedTime(since) >= AskAgainAfter;

    private void EmitIfDue(CancellationToken abort)
    {
        if (_batcher.IsDue || (_batcher.IsCheckpointRequested && MayCheckpoint))
        {
            Emit(isLast: false, abort);
        }
    }

    // A batch's positions imply that its dead letters are stored, so they must be acknowledged before it leaves. If the broker is
    // unreachable at shutdown, the batch is dropped; its records are read again from the last checkpoint's positions.
    private bool Emit(bool isLast, CancellationToken abort)
    {
        bool areSafe =
            !_isCutShort
            && HoldUntil(
                static (self, wait) =>
                {
                    if (!self._deadLetters.IsDelivered)
                    {
                        self._deadLetters.Wait(wait);
                    }

                    return self._deadLetters.IsDelivered;
                },
                abort,
                _giveUp
            );
        if (areSafe)
        {
            bool checkpoint = isLast || (_batcher.IsCheckpointDue && MayCheckpoint);
            _outgoing = _batcher.Seal(checkpoint && Compare(isLast, abort));
            HoldUntil(static (self, wait) => self.TryHandOn(wait), abort, CancellationToken.None);
        }

        return areSafe;
    }

    /// <summary>
    /// Compares the topics with the positions, after the last record of the current batch: if a look that starts now finds
    /// them the same, every such record belongs to the topic that the positions name.
    /// </summary>
    /// <returns>Whether the batch may carry a checkpoint. The last batch always may: if the topic has been replaced by then, its id
    /// shows it at the next start.</returns>
    /// <exception cref="TopicReplacedException">A topic was replaced: nothing read since the last checkpoint may be kept.</exception>
    private bool Compare(bool isLast, CancellationToken abort)
    {
        _look = _watch!.Request();
        if (!_health.IsUnavailable)
        {
            HoldUntil(static (self, wait) => self._watch!.Wait(self._look, wait), abort, _giveUp);
        }

        TopicReport report = _watch.Report;
        if (report.Number >= _look && report.IsAnswered && AreSame(report))
        {
            _unanswered = null;
            return true;
        }

        _unanswered = _time.GetTimestamp();
        if (isLast)
        {
            KafkaSourceLog.NotCompared(_logger);
        }

        return isLast;
    }

    private bool AreSame(TopicReport report)
    {
        bool same = true;
        foreach (TopicTracker tracker in Trackers())
        {
            same &= tracker.Check(report);
        }

        return same;
    }

    /// <summary>Sends a dead letter, waiting while too many are in flight.</summary>
    /// <returns>False if abandoned: the run ends, and the record is read again after the next start.</returns>
    private bool SendDeadLetter(Message<byte[]?, byte[]?> message)
    {
        _deadLetter = message;
        _isCutShort |= !HoldUntil(
            static (self, wait) =>
            {
                if (self._deadLetters.TrySend(self._deadLetter!))
                {
                    return true;
                }

                self._deadLetters.Wait(wait);
                return false;
            },
            _abort,
            _giveUp
        );
        return !_isCutShort;
    }

    /// <summary>Waits until the schema is known that a record names.</summary>
    /// <returns>False when that took a wait. Polling went on meanwhile, and whatever it brings takes the record's place in memory: it is
    /// read again.</returns>
    private bool HasSchema(PartitionReader reader, ConsumeResult<RecordBuffer, RecordBuffer> record, RecordFormat format)
    {
        if (
            format != RecordFormat.Registry
            || !ConfluentWireHeader.TryReadId(record.Message.Value.Bytes, out _awaitedSchema)
            || _schemas!.IsKnown(_awaitedSchema)
        )
        {
            return true;
        }

        reader.GiveBack(record);
        HoldUntil(static (self, wait) => self._schemas!.Wait(self._awaitedSchema, wait), _abort, _stopping);
        reader.Pause(false);
        return false;
    }

    private bool TryHandOn(TimeSpan wait)
    {
        if (_output.TryWrite(_outgoing!))
        {
            _outgoing = null;
            return true;
        }

        // A single waiter, however long it takes.
        _room ??= _output.WaitToWriteAsync().AsTask();
        if (_room.Wait(wait))
        {
            bool isOpen = _room.Result;
            _room = null;
            return isOpen ? false : throw new OperationCanceledException("The reader of batches has stopped.");
        }

        return false;
    }

    /// <summary>Waits for a condition without stopping to poll: partitions are paused meanwhile.</summary>
    /// <returns>False if the wait was abandoned.</returns>
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
        ConsumeResult<RecordBuffer, RecordBuffer>? record = _events.Reader.Poll(TimeSpan.Zero);
        if (record is not null)
        {
            _events.Reader.GiveBack(record);
        }

        DoChores();
    }

    private void SetPaused(bool paused)
    {
        if (_isPaused == paused)
        {
            return;
        }

        _isPaused = paused;
        if (paused)
        {
            KafkaSourceLog.Paused(_logger);
        }
        else
        {
            KafkaSourceLog.Resumed(_logger);
        }

        _events.Reader.Pause(paused);
    }
}
