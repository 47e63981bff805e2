using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Encoders.Onnx;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Training;
using Streaming.Models.State;
using Streaming.Ranks;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Native;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Worker.Failures;

/// <summary>Maps exceptions to exit codes and messages.</summary>
internal static class Failure
{
    /// <summary>The exit code of an exception and the message to print: one line for expected failures, the stack trace for
    /// defects.</summary>
    public static (ExitCode Code, string Message) Explain(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception switch
        {
            AggregateException { InnerExceptions: [var only] } => Explain(only),
            StoreRefusedException => (ExitCode.Refused, exception.Message),
            KeyLayoutException => (ExitCode.Configuration, exception.Message),
            RedisConnectionException => (ExitCode.Unavailable, $"Redis is unavailable: {exception.Message}"),
            SettingsException => (ExitCode.Configuration, exception.Message),
            InputFileException { InnerException: FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException } => (
                ExitCode.NoInput,
                exception.Message
            ),
            InputFileException => (ExitCode.BadInput, exception.Message),
            KafkaLibraryException
            or KafkaUnavailableException
            or RedisUnavailableException
            or ServerUnavailableException
            or TorchDeviceException
            or EncoderLibraryException
            or RanksException => (ExitCode.Unavailable, exception.Message),
            UnreadableCheckpointException => (ExitCode.NoInput, exception.Message),
            DamagedCheckpointsException => (ExitCode.BadInput, exception.Message),
            CheckpointNotWrittenException or OutputFileException => (ExitCode.NotKept, exception.Message),
            StateMismatchException => (ExitCode.StateMismatch, exception.Message),
            KafkaSourceException => (ExitCode.BadInput, exception.Message),
            LeaseLostException or FencedException or SupersededException => (ExitCode.LeaseLost, exception.Message),
            NonFiniteLossException => (ExitCode.Diverged, exception.Message),
            UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException => (ExitCode.NoInput, exception.Message),
            IOException or RanksDisagreeException => (ExitCode.Failure, exception.Message),
            OutOfMemoryException => (ExitCode.Failure, MemoryNeeds.Exhausted()),
            OperationCanceledException => (ExitCode.Aborted, "stopped before it was finished"),
            _ => (ExitCode.Failure, exception.ToString()),
        };
    }
}
