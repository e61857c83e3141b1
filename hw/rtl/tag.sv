// SPDX-License-Identifier: Apache-2.0
// The tag of each packet: from GCM as the lanes hand it over, from HMAC when the hash stage has it. Protect: kept for
// packet_out. Unprotect: compared with the received one over the full width, in the same time whatever it holds.
`default_nettype none

module tag #(
	parameter integer SLOT_BITS = 7
) (
	input  wire                 clk,
	input  wire                 rst,
	input  wire                 note,          // dispatch: this packet's direction and tag length
	input  wire [SLOT_BITS-1:0] note_slot,
	input  wire                 note_unprotect,
	input  wire [4:0]           note_octets,
	input  wire                 gcm_valid,
	input  wire [SLOT_BITS-1:0] gcm_slot,
	input  wire [127:0]         gcm_tag,
	input  wire                 hmac_valid,
	output wire                 hmac_ready,   // GCM goes first: it cannot wait
	input  wire [SLOT_BITS-1:0] hmac_slot,
	input  wire [159:0]         hmac_digest,
	// received tag, a clock later, octet 0 lowest
	output wire [SLOT_BITS-1:0] received_slot,
	input  wire [127:0]         received,
	// the tag made, to packet_out's memory, octet 0 lowest
	output wire                 made,
	output reg  [SLOT_BITS-1:0] made_slot,
	output wire [127:0]         made_tag,
	// verdict
	output reg                  done,
	output reg  [SLOT_BITS-1:0] done_slot,
	output reg                  done_ok
);
	assign hmac_ready = !gcm_valid;
	wire [SLOT_BITS-1:0] slot0 = gcm_valid ? gcm_slot : hmac_slot;
	assign received_slot = slot0;

	wire unprotect;
	wire [4:0] octets;
	info_ram #(.WIDTH (6), .LOG2 (SLOT_BITS)) infos (
		.clk (clk), .we (note), .waddr (note_slot), .wdata ({note_unprotect, note_octets}), .hold (1'b0),
		.raddr (slot0), .rdata ({unprotect, octets}), .wipe (1'b0), .wipe_at ({SLOT_BITS{1'b0}})
	);

	reg v1;
	reg [127:0] tag1;
	always @(posedge clk) begin
		v1        <= (gcm_valid || hmac_valid) && !rst;
		made_slot <= slot0;
		tag1      <= gcm_valid ? gcm_tag : hmac_digest[159:32];
	end

	genvar i;
	wire [127:0] differs;
	generate
		for (i = 0; i < 16; i = i + 1) begin : octet
			assign made_tag[8*i +: 8] = tag1[8*(15 - i) +: 8];
			assign differs[8*i +: 8] = (made_tag[8*i +: 8] ^ received[8*i +: 8]) & {8{octets > i}};
		end
	endgenerate
	assign made = v1;

	always @(posedge clk) begin
		done      <= v1 && !rst;
		done_slot <= made_slot;
		done_ok   <= !unprotect || differs == 128'h0;
	end

	wire unused = ^hmac_digest[31:0];
endmodule

`default_nettype wire
