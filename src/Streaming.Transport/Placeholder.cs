namespace Streaming.Transport;
