using Confluent.Kafka;
using StackExchange.Redis;
using Streaming.Tests;

namespace Streaming.Worker.Tests.Faults;

/// <summary>A recurring fault, until disposed.</summary>
internal sealed class Disturbance : IAsyncDisposable
{
    private const int RoundsUnderWay = 3;
    private const short Produce = 0;
    private const short Fetch = 1;
    private readonly FaultBench _bench;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;

    /// <summary>Begins.</summary>
    public Disturbance(Fault fault, FaultBench bench)
    {
        _bench = bench;
        _loop = Task.Run(() => RepeatAsync(fault), CancellationToken.None);
    }

    /// <summary>Gets a task that completes after the fault has occurred a few times, or fails if it cannot.</summary>
    public Task UnderWay => _underWay.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RepeatAsync(Fault fault)
    {
        try
        {
            for (int round = 1; !_stop.IsCancellationRequested; round++)
            {
                await DisturbAsync(fault, round);
                if (round == RoundsUnderWay || fault == Fault.MembersComeAndGo)
                {
                    _underWay.TrySetResult();
                }
            }
        }
        catch (Exception exception)
        {
            _underWay.TrySetException(exception);
        }
    }

    private Task DisturbAsync(Fault fault, int round) =>
        fault switch
        {
            Fault.RedisSlow => StandStillAsync(),
            Fault.BrokerErrors => FailRequestsAsync(round),
            Fault.LeadersMove => MoveLeadersAsync(round),
            _ => JoinAndLeaveAsync(),
        };

    private async Task StandStillAsync()
    {
        using ConnectionMultiplexer redis = await _bench.ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("DEBUG", "SLEEP", "0.25");
    }

    /// <summary>One of each kind per second: clients back off half a second after each, and must get through in between.</summary>
    private Task FailRequestsAsync(int round)
    {
        ErrorCode[] errors = [ErrorCode.NotLeaderForPartition, ErrorCode.Local_Transport, ErrorCode.RequestTimedOut];
        _bench.Broker.FailNext(Produce, errors[(round + 1) % errors.Length]);
        _bench.Broker.FailNext(Fetch, errors[round % errors.Length]);
        return Task.Delay(1000, CancellationToken.None);
    }

    private Task MoveLeadersAsync(int round)
    {
        for (int partition = 0; partition < _bench.Partitions; partition++)
        {
            _bench.Broker.SetLeader("interactions", partition, 1 + ((round + partition) % _bench.Broker.BrokerCount));
        }

        return Task.Delay(200, CancellationToken.None);
    }

    private async Task JoinAndLeaveAsync()
    {
        await using OtherMember member = await OtherMember.JoinAsync(_bench.Values.Kafka, CancellationToken.None);
        await Task.Delay(500, CancellationToken.None);
    }
}
