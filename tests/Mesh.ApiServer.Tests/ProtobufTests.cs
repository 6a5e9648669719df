using CsCheck;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Schemas;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class ProtobufTests
{
    private static readonly ObjectSchema Service = new SchemaReader().Read(typeof(V1Service));

    // A Service with one port of every kind of field, as a Go client writes it.
    private static readonly byte[] Sample =
    [
        .. "k8s\0"u8, 0x12, 0x29,
        0x0A, 0x05, 0x0A, 0x03, .. "web"u8, // metadata.name
        0x12, 0x20, // spec
        0x0A, 0x14, 0x0A, 0x00, 0x12, 0x03, .. "TCP"u8, 0x18, 0x50, 0x22, 0x07, 0x08, 0x00, 0x10, 0x90, 0x3F, 0x1A, 0x00, 0x28, 0x00,
        0x12, 0x06, 0x0A, 0x01, .. "a"u8, 0x12, 0x01, .. "b"u8, // selector
        0x68, 0x00,
    ];

    [Fact]
    public void A_service_of_a_go_client_is_read_without_its_zero_values()
    {
        var document = ProtobufReader.Read(Sample, Service).Value!;

        Assert.Equal(
            """{"metadata":{"name":"web"},"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":8080}],"selector":{"a":"b"}}}""",
            document.ToJsonString());
    }

    [Fact]
    public void A_type_without_field_numbers_is_415() =>
        Assert.Equal(415, ProtobufReader.Read(Sample, new SchemaReader().Read(typeof(V1Pod))).Refusal!.Code);

    [Fact]
    public void Whatever_the_bytes_they_are_an_object_or_400() =>
        Mutations.Sample(bytes => ProtobufReader.Read(bytes, Service).Refusal is null or { Code: 400 });

    [Fact]
    public void Mutations_reach_both_ends()
    {
        var (read, refused) = (0, 0);
        Mutations.Sample(
            bytes => _ = ProtobufReader.Read(bytes, Service).Refusal is null ? read++ : refused++,
            iter: 500,
            threads: 1);
        Assert.True(read > 10 && refused > 10, $"{read} read, {refused} refused");
    }

    private static Gen<byte[]> Mutations { get; } = Gen.Select(Gen.Int[0, Sample.Length - 1], Gen.Byte, Gen.Int[0, 3]).Select((index, value, cut) =>
    {
        var bytes = Sample.ToArray();
        bytes[index] = value;
        return cut == 0 ? bytes[..index] : bytes;
    });
}
