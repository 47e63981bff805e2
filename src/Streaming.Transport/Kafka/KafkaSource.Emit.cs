using Confluent.Kafka;
using Streaming.Core.Ingestion;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka;

/// <content>How batches leave, and what is done while they cannot.</content>
public sealed partial class KafkaSource
{
    /// <summary>A wait shorter than this is sat out; a longer one pauses the partitions, so that polling can go on.</summary>
    private static readonly TimeSpan PauseAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>A cluster that did not say whether its topics are the same is asked again after this.</summary>
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

    // A batch's positions say that its dead letters are safe: they must have arrived before it leaves. When the broker is
    // unreachable at the end, the batch is left out: its records are read again from the last checkpoint's positions.
    private bool Emit(bool isLast, CancellationToken abort)
    {
        bool areSafe = !_isCutShort && HoldUntil(
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
            bool checkpoint = isLast || (_batcher.IsCheckpointDue && MayCheckpoint);
            _outgoing = _batcher.Seal(checkpoint && Compare(isLast, abort));
            HoldUntil(static (self, wait) => self.TryHandOn(wait), abort, CancellationToken.None);
        }

        return areSafe;
    }

    /// <summary>
    /// Compares the topics with the positions, after the last record that the batch under way holds: if they are the same by a look
    /// that begins now, every such record is of the topic that the positions name.
    /// </summary>
    /// <returns>Whether the batch may carry a checkpoint. The last one may in any case: should the topic be another one by then, its id
    /// says so at the next start.</returns>
    /// <exception cref="TopicReplacedException">A topic is another one: nothing read since the last checkpoint may be kept.</exception>
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

    /// <summary>Sends a dead letter, waiting while too many are on their way.</summary>
    /// <returns>False when it was given up: the run ends, and its record is read again after the next start.</returns>
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
            _giveUp);
        return !_isCutShort;
    }

    /// <summary>Waits until the schema is known that a record names.</summary>
    /// <returns>False when that took a wait. Polling went on meanwhile, and whatever it brings takes the record's place in memory: it is read again.</returns>
    private bool HasSchema(PartitionReader reader, ConsumeResult<RecordBuffer, RecordBuffer> record, RecordFormat format)
    {
        if (format != RecordFormat.Registry || !ConfluentWireHeader.TryReadId(record.Message.Value.Bytes, out _awaitedSchema) || _schemas!.IsKnown(_awaitedSchema))
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
