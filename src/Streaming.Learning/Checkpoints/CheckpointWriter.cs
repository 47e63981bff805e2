using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Streaming.Core.Ingestion;
using Streaming.Learning.Training;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>Writes the files of one checkpoint into a folder, each synced to disk, and their checksums.</summary>
internal sealed class CheckpointWriter(string folder)
{
    private const int BufferBytes = 1 << 20;
    private readonly StringBuilder _checksums = new();

    /// <summary>Gets the bytes written so far.</summary>
    public long Bytes { get; private set; }

    public void Write(TrainerSnapshot trainer, IngestSnapshot? ingest, CheckpointManifest manifest, CancellationToken cancellationToken)
    {
        WriteFile(CheckpointFiles.Engine, stream => Safetensors.WriteOnce(trainer.Engine, stream, cancellationToken));
        WriteFile(CheckpointFiles.Trainer, stream => Safetensors.WriteOnce(trainer.Trainer, stream, cancellationToken));
        if (ingest is not null)
        {
            WriteFile(CheckpointFiles.Ingest, ingest.WriteTo);
        }

        WriteFile(CheckpointFiles.Manifest, stream => JsonSerializer.Serialize(stream, manifest, CheckpointJson.Options));
        cancellationToken.ThrowIfCancellationRequested();
        byte[] checksums = Encoding.ASCII.GetBytes(_checksums.ToString());
        WriteFile(CheckpointFiles.Checksums, stream => stream.Write(checksums));
        DurableFolder.Synchronize(folder);
    }

    private void WriteFile(string name, Action<Stream> write)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
        using var hash = new HashingStream(file);
        write(hash);
        hash.Flush();
        file.Flush(flushToDisk: true);
        Bytes += file.Length;
        _checksums.Append(Convert.ToHexStringLower(hash.GetHash())).Append("  ").Append(name).Append('\n');
    }

    /// <summary>Hashes all bytes written through it.</summary>
    private sealed class HashingStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public byte[] GetHash() => _hash.GetHashAndReset();

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer);
            inner.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
