using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core;
using Streaming.Learning;
using Streaming.Transport;

namespace Streaming.Worker;

/// <summary>
/// Publishes what stands beside the embeddings of a generation: user towers and the record, at an interval. The training
/// thread leaves a picture, this stage writes the newest one.
/// </summary>
internal sealed class GenerationStage
{
    /// <summary>Towers go out at most at this rate, however often they are asked for: a wide model's are many megabytes.</summary>
    private const double MostBytesPerSecond = 1 << 20;

    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(10);

    private readonly GenerationPublisher _publisher;
    private readonly ModelVersion _version;
    private readonly TimeSpan _towerInterval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<ModelPicture> _pictures = Channel.CreateBounded<ModelPicture>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    private TimeSpan _wait;
    private long _last;
    private bool _begun;

    /// <summary>Creates the stage.</summary>
    /// <param name="redis">The store.</param>
    /// <param name="options">Model and interval.</param>
    /// <param name="version">Generation and token of this life.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public GenerationStage(IDatabase redis, RedisOptions options, ModelVersion version, TimeProvider time, ILogger logger)
    {
        _publisher = new GenerationPublisher(redis, options, time);
        _version = version;
        _towerInterval = options.TowerInterval;
        _time = time;
        _logger = logger;
    }

    /// <summary>Takes a picture when it is time. On the training thread, between two steps.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="last">Takes one in any case: the end.</param>
    public void Offer(Trainer trainer, bool last = false)
    {
        if (_begun && !last && _time.GetElapsedTime(_last) < _wait)
        {
            return;
        }

        _begun = true;
        _last = _time.GetTimestamp();
        ModelPicture picture = ModelPicture.Of(trainer, _version, _towerInterval > TimeSpan.Zero, _time);
        TimeSpan atLeast = TimeSpan.FromSeconds(picture.Towers.Values.Sum(static file => (long)file.Length) / MostBytesPerSecond);
        _wait = _towerInterval == TimeSpan.Zero ? RecordInterval : _towerInterval > atLeast ? _towerInterval : atLeast;
        _pictures.Writer.TryWrite(picture);
        if (last)
        {
            _pictures.Writer.Complete();
        }
    }

    /// <summary>Publishes until the last picture. A store that is away loses a picture; the next comes soon.</summary>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (ModelPicture picture in _pictures.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await _publisher.PublishAsync(picture.Record, picture.Towers, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception))
            {
                PipelineLog.TowersNotPublished(_logger, exception);
            }
        }
    }
}
