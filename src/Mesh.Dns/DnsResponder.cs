using System.Collections.Immutable;
using System.Diagnostics;
using Mesh.Core;
using Mesh.Core.Dns;
using Mesh.Core.Routing;
using Mesh.Dns.Wire;

namespace Mesh.Dns;

/// <summary>Answers one packet from the current snapshot: bytes in, bytes out, no I/O, never throws on any bytes.</summary>
public sealed class DnsResponder(Published<RoutingSnapshot> routes, string clusterDomain, Random seed)
{
    /// <summary>What fits every path without fragments (DNS flag day 2020).</summary>
    public const int MaxUdpPayload = 1232;

    public const int MaxTcpPayload = 65535;

    private const int MinUdpPayload = 512;

    /// <summary>Short, so that a client follows a change within seconds.</summary>
    private const uint TimeToLive = 5;

    private readonly SplitMix _chance = new(seed);
    private readonly ImmutableArray<string> _zone = [.. clusterDomain.Split('.', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Length of the response in <paramref name="buffer"/>; 0 when none is sent.</summary>
    /// <param name="packet">The query as received.</param>
    /// <param name="buffer">At least <see cref="MaxUdpPayload"/> long, for TCP <see cref="MaxTcpPayload"/>.</param>
    /// <param name="overTcp">UDP answers are cut to what the client can take, and marked truncated.</param>
    /// <param name="type">QTYPE of a question that could be read, else 0.</param>
    /// <param name="code">The RCODE sent.</param>
    public int Respond(ReadOnlySpan<byte> packet, Span<byte> buffer, bool overTcp, out ushort type, out ResponseCode code)
    {
        type = 0;
        code = ResponseCode.NoError;
        switch (DnsQueryReader.Read(packet))
        {
            case DnsQuery.Drop:
                return 0;
            case DnsQuery.Refuse refuse:
                code = refuse.Code;
                return new DnsResponseWriter(buffer[..MaxUdpPayload], packet, refuse.QuestionEnd, [], refuse.Edns)
                    .Finish(code, authoritative: false, truncated: false);
            case DnsQuery.Question question:
                type = question.Type;
                return Answer(packet, buffer[..Limit(question, overTcp)], question, overTcp, out code);
            default:
                throw new UnreachableException();
        }
    }

    private static int Limit(DnsQuery.Question question, bool overTcp) => overTcp
        ? MaxTcpPayload
        : Math.Clamp(question.Edns?.PayloadSize ?? MinUdpPayload, MinUdpPayload, MaxUdpPayload);

    private int Answer(ReadOnlySpan<byte> packet, Span<byte> buffer, DnsQuery.Question question, bool overTcp, out ResponseCode code)
    {
        var any = question.Type == (ushort)DnsRecordType.Any;
        var asked = any ? DnsRecordType.A : (DnsRecordType)question.Type;
        var answer = DnsAnswers.Resolve(routes.Current, _zone, question.Name, asked);
        var writer = new DnsResponseWriter(buffer, packet, question.QuestionEnd, question.Name, question.Edns);
        var truncated = false;
        switch (answer)
        {
            case DnsAnswer.Records or DnsAnswer.NoRecords when any:
                code = ResponseCode.NoError;
                writer.TryWriteMinimalAny(question.Name, TimeToLive);
                break;
            case DnsAnswer.Records records:
                code = ResponseCode.NoError;
                truncated = !TryWriteRecords(ref writer, records) && !overTcp;
                break;
            case DnsAnswer.NoRecords:
                code = ResponseCode.NoError;
                WriteAuthority(ref writer);
                break;
            case DnsAnswer.NoSuchName:
                code = ResponseCode.NoSuchName;
                WriteAuthority(ref writer);
                break;
            case DnsAnswer.NotOurs:
                code = ResponseCode.Refused;
                break;
            case DnsAnswer.NotReady:
                code = ResponseCode.ServerFailure;
                break;
            default:
                throw new UnreachableException();
        }

        if (truncated)
        {
            // A client that sees TC asks again over TCP; half an answer would only tempt it not to (RFC 2181 §9).
            writer = new DnsResponseWriter(buffer, packet, question.QuestionEnd, question.Name, question.Edns);
        }

        return writer.Finish(code, code is ResponseCode.NoError or ResponseCode.NoSuchName, truncated);
    }

    /// <summary>
    /// Starts at a random record, so that clients which take the first spread over all. False when an answer did not fit;
    /// over TCP what fits is then a random part of the whole.
    /// </summary>
    private bool TryWriteRecords(ref DnsResponseWriter writer, DnsAnswer.Records records)
    {
        // Only a set of alike records may be turned: a CNAME stands before what it leads to.
        var answers = records.Answers;
        var first = answers.Length > 1 && answers[0].Type != DnsRecordType.Cname ? _chance.Next(answers.Length) : 0;
        for (var i = 0; i < answers.Length; i++)
        {
            if (!writer.TryWrite(answers[(first + i) % answers.Length], TimeToLive, DnsSection.Answer))
            {
                return false;
            }
        }

        foreach (var record in records.Additional)
        {
            if (!writer.TryWrite(record, TimeToLive, DnsSection.Additional))
            {
                break; // additional records are a courtesy; leaving some out is not truncation (RFC 2181 §9)
            }
        }

        return true;
    }

    private void WriteAuthority(ref DnsResponseWriter writer)
    {
        var soa = new DnsData.StartOfAuthority(["ns", "dns", .. _zone], ["hostmaster", .. _zone]);
        writer.TryWrite(new DnsRecord(_zone, DnsRecordType.Soa, soa), TimeToLive, DnsSection.Authority);
    }
}
